//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gpup_kmd::os::host::pci::Location;

use crate::exit::Failure;
use crate::json::is_stdout;
use crate::units::{Bytes, MigrationId, Rate, Time};

/// Most VFs of a host.
pub(crate) const MAX_VFS: u32 = 64;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and everything was proved
  1  failed: a VF that was to leave runs on here
  2  wrong usage
  3  the VF cannot move there
  4  in doubt: the message says in which file the VF is
  5  cancelled, or not converging
  6  done, but the result could not be written
  7  moved or restored, but the guest's result was not compared
  8  moved or restored, but something was wrong then: a result differs, a guest failed, a rule was broken";

/// Migrate a VF of a simulated GPU-P host live, through the driver's own WDDM 3.2 callback table.
#[derive(Parser, Debug)]
#[command(name = "gpup", version, about, propagate_version = true)]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Move a running VF from one simulated host to another and prove that nothing was lost
    Migrate(Box<Migrate>),
    /// Wait for VFs that other processes move here
    Serve(Serve),
    /// Run a guest for a while, then save its VF to a file (quick migration)
    Save(Save),
    /// Restore a saved VF and let its guest finish
    Restore(Restore),
    /// Ask a target in doubt what it holds, or tell it to run or to discard it
    Resolve(Resolve),
    /// Decode a saved VF or a recorded stream, record by record
    Inspect(Inspect),
    /// Show what Dxgkrnl learns of the adapter
    Caps(Caps),
    /// Check the driver against the documented contract, rule by rule
    Check(Check),
    /// Simulate the VF scheduler in virtual time: shares, waits and lag through migrations
    Schedule(Schedule),
    /// Watch a host's VFs share its engines, and move one of them live
    Top(Box<Top>),
}

impl Command {
    /// Where its results go.
    pub fn output(&self) -> &Output {
        match self {
            Self::Migrate(args) => &args.output,
            Self::Serve(args) => &args.output,
            Self::Save(args) => &args.output,
            Self::Restore(args) => &args.output,
            Self::Resolve(args) => &args.output,
            Self::Inspect(args) => &args.output,
            Self::Caps(args) => &args.output,
            Self::Check(args) => &args.output,
            Self::Schedule(args) => &args.output,
            Self::Top(args) => &args.output,
        }
    }
}

/// The simulated host.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Host")]
pub struct HostArgs {
    /// Number of VFs on the host
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_VFS)))]
    pub vfs: u32,
    /// VRAM of each VF
    #[arg(long, default_value = "256MiB", value_name = "SIZE")]
    pub vf_size: Bytes,
    /// VRAM of the whole adapter [default: what the VFs need]
    #[arg(long, value_name = "SIZE")]
    pub vram: Option<Bytes>,
    /// Report dirty tracking as performant (on from the start) or not (on from Prepare)
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off", hide_possible_values = true)]
    pub performant_tracking: Switch,
    /// Firmware version the adapter reports, major * 65536 + minor
    #[arg(long, hide = true)]
    pub firmware: Option<u32>,
    /// Device revision the adapter reports
    #[arg(long, hide = true)]
    pub revision: Option<u32>,
}

impl HostArgs {
    /// Refuses a VF that the host does not have.
    pub(crate) fn check_vf(&self, vf: u32) -> Result<(), Failure> {
        match self.vfs {
            vfs if vf < vfs => Ok(()),
            1 => Err(Failure::usage(format!("no VF {vf}: this host has only VF 0, so add --vf 0"))),
            vfs => Err(Failure::usage(format!("no VF {vf}: this host has VFs 0 to {}", vfs - 1))),
        }
    }
}

/// The guests and what they do.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Guests")]
pub struct GuestArgs {
    /// VF that moves or is saved
    #[arg(long, default_value_t = 1, value_name = "INDEX")]
    pub vf: u32,
    /// Work of that VF: matmul, stencil, nbody, writer or idle
    #[arg(long, default_value = "matmul")]
    pub workload: gpup_guest::Workload,
    /// Pages the writer dirties each second; 0 = as many as it can
    #[arg(long, default_value_t = 20_000, value_name = "PAGES_PER_SECOND")]
    pub dirty_rate: u64,
    /// Which pages the writer dirties: sequential, random or hot
    #[arg(long, default_value = "random")]
    pub pattern: gpup_guest::Pattern,
    /// A file that the guest uploads into its VRAM first
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// How much of the VF's free memory the guest fills with incompressible bytes first, without --image
    #[arg(long, default_value_t = 50, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub fill: u8,
    /// How long the guest works before it moves
    #[arg(long, default_value = "1s", value_name = "TIME")]
    pub warm_up: Time,
    /// How long it works afterwards
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub cool_down: Time,
    /// Seed of the guests' data
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave the other VFs without work
    #[arg(long)]
    pub quiet_neighbours: bool,
}

/// How to move it.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Migration")]
pub struct MoveArgs {
    /// Data connections
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub streams: u16,
    /// Most bytes a second, all connections together [default: no limit]
    #[arg(long, value_name = "RATE")]
    pub bandwidth: Option<Rate>,
    /// Longest pause aimed at
    #[arg(long, default_value = "100ms", value_name = "TIME")]
    pub pause_limit: Time,
    /// How much longer a pause may become before the guest resumes on the source
    #[arg(long, default_value = "1s", value_name = "TIME")]
    pub pause_grace: Time,
    /// Longest brownout
    #[arg(long, default_value = "60s", value_name = "TIME")]
    pub time_limit: Time,
    /// What to do when the pause limit cannot be kept
    #[arg(long, value_enum, default_value_t = Timeout::Throttle, value_name = "POLICY")]
    pub on_timeout: Timeout,
    /// Leave out the bytes of pages that are zero
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off", hide_possible_values = true)]
    pub zero_pages: Switch,
    /// Compress pages
    #[arg(long, value_enum, default_value_t = Compress::None, value_name = "KIND")]
    pub compress: Compress,
    /// Use SetVirtualFunctionPauseState, or leave the pause to the driver
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off", hide_possible_values = true)]
    pub pause_ddi: Switch,
    /// How long to ask the target for an answer when in doubt
    #[arg(long, default_value = "30s", value_name = "TIME")]
    pub settle: Time,
}

/// `gpup migrate`
#[derive(Args, Debug)]
pub struct Migrate {
    /// Target that serves; without it both hosts live in this process, connected by TCP over loopback
    #[arg(long, value_name = "HOST:PORT")]
    pub to: Option<String>,
    /// Only ask whether the VF can move there, and if not why
    #[arg(long)]
    pub check: bool,
    /// Where the VF is saved if it stays in doubt [default: gpup-in-doubt-ID.vf]
    #[arg(long, value_name = "FILE")]
    pub in_doubt_file: Option<PathBuf>,
    /// Move the VF back again afterwards, and prove that too
    #[arg(long, conflicts_with_all = ["to", "check"])]
    pub back: bool,
    /// PCI BAR that the source's VRAM lies in, as 0000:00:04.0 or 0000:00:04.0:2; the device's largest prefetchable
    /// one if no number is given [default: simulated]
    #[arg(long, value_name = "DEVICE[:BAR]")]
    pub source_bar: Option<Location>,
    /// The same of the target in this process
    #[arg(long, value_name = "DEVICE[:BAR]", conflicts_with = "to")]
    pub target_bar: Option<Location>,
    /// Host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Migration.
    #[command(flatten)]
    pub how: MoveArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:7433", value_name = "ADDR")]
    pub listen: String,
    /// End after so many visits [default: serve until stopped]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub visits: Option<u32>,
    /// How long a VM that arrived works on before it is made to finish
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub cool_down: Time,
    /// PCI BAR that VRAM lies in, as 0000:00:04.0 or 0000:00:04.0:2 [default: simulated]
    #[arg(long, value_name = "DEVICE[:BAR]")]
    pub bar: Option<Location>,
    /// Host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup save`
#[derive(Args, Debug)]
pub struct Save {
    /// File to write; it must not exist
    pub file: PathBuf,
    /// Overwrite an existing file
    #[arg(long)]
    pub force: bool,
    /// Leave out the bytes of pages that are zero
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "on|off", hide_possible_values = true)]
    pub zero_pages: Switch,
    /// Compress pages
    #[arg(long, value_enum, default_value_t = Compress::None, value_name = "KIND")]
    pub compress: Compress,
    /// Host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup restore`
#[derive(Args, Debug)]
pub struct Restore {
    /// File to read
    pub file: PathBuf,
    /// How long the guest works on before it is made to finish
    #[arg(long, default_value = "500ms", value_name = "TIME")]
    pub cool_down: Time,
    /// Firmware version the adapter reports, major * 65536 + minor
    #[arg(long, hide = true)]
    pub firmware: Option<u32>,
    /// Device revision the adapter reports
    #[arg(long, hide = true)]
    pub revision: Option<u32>,
    /// The target that may run a VF saved in doubt [default: where it was last reached]
    #[arg(long, value_name = "HOST:PORT")]
    pub to: Option<String>,
    /// Restore a VF saved in doubt though the target cannot be asked: it is gone for good, and the VF with it
    #[arg(long)]
    pub force: bool,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup resolve`
#[derive(Args, Debug)]
pub struct Resolve {
    /// The target
    #[arg(long, value_name = "HOST:PORT")]
    pub to: String,
    /// The migration, as the messages of both sides name it
    #[arg(long, value_name = "ID")]
    pub migration: MigrationId,
    /// Let the target run the VM: the source is gone and its saved copy will never be restored
    #[arg(long, conflicts_with = "discard")]
    pub run: bool,
    /// Let the target discard the VM: the source, or its saved copy, is to run
    #[arg(long)]
    pub discard: bool,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup inspect`
#[derive(Args, Debug)]
pub struct Inspect {
    /// File to read
    pub file: PathBuf,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup caps`
#[derive(Args, Debug)]
pub struct Caps {
    /// Host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// `gpup check`
#[derive(Args, Debug)]
pub struct Check {
    /// Judge this rule only; may be given again
    #[arg(long, value_name = "ID")]
    pub rule: Vec<String>,
    /// Write the page of all rules to standard output and check nothing
    #[arg(long)]
    pub markdown: bool,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

const SCENARIO_HELP: &str = r#"A scenario is a TOML file. All keys but about, length, packets and those of a migration have the
driver's defaults; a value that would have to be rounded, or that cannot be, is refused:

  about = "two VFs, one migrates"
  length = "60s"                 # of virtual time
  seed = 1

  [engine]                       # and packet, patience, pf_weight, pf_quantum
  chunk = "250us"                # longest piece of paging
  paging = "25%"                 # of a migrating VF's share, in a brownout
  paging_limit = "100%"          # of the engine, for each migrating VF
  switch = "5us"                 # turning the engine to another VF

  [[vf]]                         # VFs are numbered in order
  count = 2
  weight = 1024
  quantum = "4ms"
  preempt_timeout = "640ms"      # "0s": none
  priority = "low"               # or "normal": keeps its slot without work
  max = "100%"
  # or { fixed = "1ms" }, or { mix = [["50us", 9], ["20ms", 1]] }
  packets = { uniform = ["1ms", "3ms"] }
  demand = "saturated"           # or "silent", or { closed = "10ms" }: thinks in between

  [pf]                           # the PF's everyday work
  packets = { fixed = "200us" }
  demand = { closed = "10ms" }

  [[migration]]
  vf = 0
  role = "source"                # or "target", which has no pause
  prepare = "20s"
  pause = "40s"
  end = "41s"
  chunk = "100us"
  throttle = [{ at = "30s", speed = "50%" }]
  cancelled = false              # true: the VF runs on

Exit codes: 0 every target holds, 1 one was missed, 2 wrong usage or scenario."#;

/// `gpup schedule`
#[derive(Args, Debug)]
#[command(after_help = SCENARIO_HELP)]
pub struct Schedule {
    /// A scenario file or the name of one that comes with the tool; `list` shows those
    #[arg(long, default_value = "migration", value_name = "FILE|NAME")]
    pub scenario: PathBuf,
    /// Seed of the random lengths and times, instead of the scenario's
    #[arg(long)]
    pub seed: Option<u64>,
    /// Draw the shares over time to FILE
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

const TOP_HELP: &str = "\
Keys: q quits, p holds the picture, m moves the VF (--vf) to a second host in this process, live.
Without a terminal, or with --once, --samples or --json, it prints plain lines until Ctrl-C or --samples.

Columns: busy is engine time granted in a second, by the device's clock; share is a VF's part of what was granted on
its engine, paging out of its share included; entitled is its part by weight; paging is the PF's for this VF, out of
its share and out of time that nobody wanted.";

/// `gpup top`
#[derive(Args, Debug)]
#[command(after_help = TOP_HELP)]
pub struct Top {
    /// Time between two samples
    #[arg(long, default_value = "1s", value_name = "TIME")]
    pub interval: Time,
    /// Print one sample and end
    #[arg(long, conflicts_with = "samples")]
    pub once: bool,
    /// Print so many samples and end
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: Option<u32>,
    /// Move the VF so long after the start, as the key m does
    #[arg(long, value_name = "TIME")]
    pub move_after: Option<Time>,
    /// Host.
    #[command(flatten)]
    pub host: HostArgs,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Migration.
    #[command(flatten)]
    pub how: MoveArgs,
    /// Output.
    #[command(flatten)]
    pub output: Output,
}

/// Where results go.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Write the result to FILE as JSON; `-`, or no FILE, is standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub json: Option<PathBuf>,
    /// Write what happens to FILE as JSON lines, as it happens: events of the driver, spans of migrations; `-` is
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

impl Output {
    /// Whether people are to be told the result on standard output.
    pub fn speaks(&self) -> bool {
        !self.quiet && ![&self.json, &self.trace].into_iter().flatten().any(|path| is_stdout(path))
    }
}

/// On or off.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// What to do when the pause limit cannot be kept.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// Give up; the VF stays.
    Cancel,
    /// Pause longer than asked.
    Switchover,
    /// Slow the guest's engine work down, then give up.
    Throttle,
}

/// Compression of pages.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compress {
    /// None: fastest above some 8 Gbit/s.
    None,
    /// lz4: cheap.
    Lz4,
    /// zstd level 1: smaller.
    Zstd,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
