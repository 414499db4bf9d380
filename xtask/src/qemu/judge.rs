//! Whether what was seen of the machine proves that VRAM in the BAR moved, there and back.

use anyhow::{Context, Result, bail, ensure};

use super::machine::{SLOT, Seen};

/// Pages that the BAR must have held at one time: half of what the guest fills of its 64 MiB. Queues and page tables
/// alone are fewer.
pub(super) const FEWEST_PAGES: usize = 4096;
/// Stands between the report of the way there and that of the way back.
const AND_BACK: &str = "And back:";

/// The most pages that the BAR's file held, if everything is as it must be.
pub(super) fn judge(seen: &Seen) -> Result<usize> {
    ended_well(&seen.said)?;
    let mut legs = seen.said.split(AND_BACK);
    let there = legs.next().context("no report")?;
    let back = legs.next().context("no report of the way back")?;
    ensure!(legs.next().is_none(), "more than two reports");
    leg(there, "source").context("the way there")?;
    leg(back, "target").context("the way back")?;
    let most = seen.pages.iter().copied().max().unwrap_or_default();
    ensure!(
        most >= FEWEST_PAGES,
        "the BAR's file never held more than {most} pages in {} looks, where at least {FEWEST_PAGES} belong",
        seen.pages.len()
    );
    Ok(most)
}

fn ended_well(said: &str) -> Result<()> {
    let codes: Vec<&str> = said.lines().filter_map(|line| line.trim().strip_prefix("gpup exit ")).collect();
    match codes[..] {
        ["0"] => Ok(()),
        [] => bail!("the machine ended before gpup did"),
        _ => bail!("gpup ended with exit code {}", codes.join(", ")),
    }
}

/// One migration's report: proved identical, with the BAR as the VRAM of that side.
fn leg(report: &str, side: &str) -> Result<()> {
    let verdict = field(report, "verdict")?;
    ensure!(verdict.starts_with("IDENTICAL:"), "the verdict is {verdict}");
    let vram = field(report, "VRAM")?;
    let device = format!("PCI BAR 0000:00:{SLOT:02x}.0:2 ");
    let of_side = vram.split(" on the source, ").nth(usize::from(side == "target")).unwrap_or_default();
    ensure!(of_side.starts_with(&device), "the {side}'s VRAM is not the BAR: {vram}");
    Ok(())
}

/// The one line of a report that begins with a word.
fn field<'a>(report: &'a str, word: &str) -> Result<&'a str> {
    let mut lines = report.lines().filter_map(|line| line.trim().strip_prefix(word));
    let line = lines.next().with_context(|| format!("no line '{word}'"))?;
    ensure!(lines.next().is_none(), "more than one line '{word}'");
    Ok(line.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: &str = "PCI BAR 0000:00:04.0:2 (256 MiB at 0xe0000000, write-combined)";

    fn report(source: &str, target: &str) -> String {
        format!(
            "There:\nmoved      33.1 MiB\nVRAM       {source} on the source, {target} on the target\n\
             verdict    IDENTICAL: 16384 of 16384 pages identical\n"
        )
    }

    fn good() -> Seen {
        let (there, back) = (report(BAR, "simulated"), report("simulated", BAR));
        let said = format!("booting\n{there}\n{AND_BACK}\n{back}gpup exit 0\n[ 9.0] reboot: Power down\n");
        Seen { said, pages: vec![0, 12, 8416, 8416] }
    }

    /// Judges a good run that was changed, and gives the complaint.
    fn complaint(change: impl FnOnce(&mut Seen)) -> String {
        let mut seen = good();
        change(&mut seen);
        format!("{:#}", judge(&seen).unwrap_err())
    }

    #[test]
    fn a_good_run_passes() {
        assert_eq!(judge(&good()).unwrap(), 8416);
    }

    #[test]
    fn the_exit_code_must_be_there_and_zero() {
        let failed = complaint(|seen| seen.said = seen.said.replace("exit 0", "exit 4"));
        assert!(failed.contains("exit code 4"), "{failed}");
        let cut = complaint(|seen| seen.said = seen.said.replace("gpup exit 0\n", ""));
        assert!(cut.contains("before gpup did"), "{cut}");
        let twice = complaint(|seen| seen.said.push_str("gpup exit 1\n"));
        assert!(twice.contains("0, 1"), "{twice}");
    }

    #[test]
    fn both_legs_must_be_identical() {
        let missing = complaint(|seen| seen.said = report(BAR, "simulated") + "gpup exit 0\n");
        assert!(missing.contains("no report of the way back"), "{missing}");
        for (number, leg) in ["the way there", "the way back"].into_iter().enumerate() {
            let change = |with: &'static str| {
                move |seen: &mut Seen| {
                    let mut parts: Vec<String> = seen.said.split(AND_BACK).map(str::to_owned).collect();
                    parts[number] = parts[number].replace("verdict    IDENTICAL:", with);
                    seen.said = parts.join(AND_BACK);
                }
            };
            let different = complaint(change("verdict    DIFFERENT:"));
            assert!(different.contains(leg) && different.contains("DIFFERENT"), "{different}");
            let silent = complaint(change("IDENTICAL:"));
            assert!(silent.contains(leg) && silent.contains("no line 'verdict'"), "{silent}");
        }
    }

    #[test]
    fn the_bar_must_be_the_right_side_s_vram() {
        let neither = complaint(|seen| seen.said = seen.said.replace(BAR, "simulated"));
        assert!(neither.contains("the source's VRAM is not the BAR"), "{neither}");
        let turned = complaint(|seen| {
            let there = report(BAR, "simulated");
            seen.said = format!("{there}{AND_BACK}\n{there}gpup exit 0\n");
        });
        assert!(turned.contains("the target's VRAM is not the BAR"), "{turned}");
    }

    #[test]
    fn the_file_must_have_held_the_vf() {
        for pages in [vec![], vec![0, 0, 0], vec![0, FEWEST_PAGES - 1]] {
            let untouched = complaint(|seen| seen.pages = pages);
            assert!(untouched.contains("never held more"), "{untouched}");
        }
    }
}
