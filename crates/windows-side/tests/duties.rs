//! What the scripts owe whoever runs them, as far as their text shows it: a policy on both hosts and taken back, no
//! parameter that does nothing, no server that has to be reached, no id that Windows or the INF knows better.

use windows_side::syntax::{Call, Script};
use windows_side::{read, script, scripts};

fn parsed(name: &str) -> Script {
    Script::parse(script(name))
}

/// The one call of a command outside of functions.
#[track_caller]
fn main_call(script: &Script, name: &str) -> Call {
    let calls: Vec<Call> = script
        .calls_of(name)
        .into_iter()
        .filter(|call| call.within.iter().all(|it| it == "finally"))
        .collect();
    assert_eq!(calls.len(), 1, "{name}: {calls:?}");
    calls[0].clone()
}

#[test]
fn the_lab_policy_is_for_both_hosts() {
    let migrate = parsed("livemigrate.ps1");
    assert!(migrate.code().contains("\n$hosts = $env:COMPUTERNAME, $DestinationHost\n"));
    for name in ["Set-LabPolicy", "Remove-LabPolicy"] {
        let calls = migrate.calls_of(name);
        assert!(!calls.is_empty(), "nothing calls {name}");
        for call in calls {
            assert!(call.text.ends_with(&format!("{name} -ComputerName $hosts")), "{}", call.text);
        }
    }
    // Whatever becomes of the change: people are told where the values are set.
    let told = main_call(&migrate, "Write-PolicyWarning");
    assert_eq!(told.within, ["finally"]);
    let body = migrate.function("Write-PolicyWarning");
    assert!(body.contains("foreach ($computer in $hosts)"), "{body}");
    assert!(body.contains("Get-LabPolicy -ComputerName $computer"), "{body}");
}

#[test]
fn the_lab_policy_is_on_both_hosts_or_on_none_and_taken_back_whole() {
    let policy = parsed("LabPolicy.psm1");
    assert_eq!(policy.calls_of("Invoke-Command").len(), 1);
    assert!(policy.calls_of("Invoke-Command")[0].text.contains("-ComputerName $ComputerName"));
    for name in ["Get-LabPolicy", "Set-LabPolicy", "Remove-LabPolicy"] {
        let body = policy.function(name);
        assert!(body.contains("$ComputerName"), "{body}");
        assert!(body.contains("Invoke-OnHost -ComputerName"), "{body}");
    }
    // All hosts are asked before one is changed, and what was changed is put back when one refuses.
    let set: Vec<Call> = policy
        .calls()
        .into_iter()
        .filter(|it| it.within.first().is_some_and(|it| it == "Set-LabPolicy"))
        .collect();
    let first = |name: &str| set.iter().find(|call| call.name == name).expect("a call");
    assert!(first("Get-LabPolicy").at < first("Invoke-OnHost").at);
    assert_eq!(first("Remove-LabPolicy").within, ["Set-LabPolicy", "catch"]);
    assert!(policy.function("Set-LabPolicy").contains("throw $problem"));
    // One host that refuses keeps nobody from the other.
    assert!(policy.function("Remove-LabPolicy").contains("} catch {"));

    // What was there before is written down before it is changed.
    let code = policy.code();
    let written = code.find("-LiteralPath $Saved -Name $name -PropertyType String").expect("what was there");
    let changed =
        code.find("-LiteralPath $Key -Name $name -PropertyType DWord -Value 0").expect("the change");
    assert!(written < changed);
    assert!(code.contains("-Value ([int] $before)"), "what was there does not come back");
}

#[test]
fn no_size_of_mmio_space_is_passed_over() {
    let migrate = parsed("livemigrate.ps1");
    let sets: Vec<Call> =
        migrate.calls().into_iter().filter(|it| it.text.contains("-HighMemoryMapped")).collect();
    assert_eq!(sets.len(), 1, "{sets:?}");
    assert_eq!(sets[0].within, ["Set-HighMmio"]);
    let body = migrate.function("Set-HighMmio");
    // A VM that runs, and a size that Hyper-V does not take as it is.
    assert_eq!(body.matches("throw ").count(), 2, "{body}");
    // Whether or not the VM has a partition, and before it gets one or starts.
    let at = main_call(&migrate, "Set-HighMmio").at;
    for later in ["Set-Partition", "Add-Partition", "Start-Guest"] {
        assert!(at < main_call(&migrate, later).at, "{later} comes first");
    }
}

#[test]
fn no_parameter_does_nothing() {
    for name in scripts(&[".ps1"]) {
        let text = parsed(&name).code();
        let (parameters, code) =
            text.split_once("\nparam(").expect("parameters").1.split_once("\n)").expect("an end");
        for line in parameters.lines() {
            let Some((_, rest)) = line.rsplit_once("] $") else { continue };
            let parameter = rest.split([',', ' ']).next().expect("a name");
            assert!(code.contains(&format!("${parameter}")), "{name}: -{parameter} does nothing");
        }
    }
    // What one switch makes meaningless is refused beside it.
    assert!(script("verifier.ps1").contains("if ($Off -and ($NoFaults -or $Additional)) { throw "));
    // What -WhatIf leaves out of what it shows would be a surprise.
    let install = parsed("install.ps1");
    let code = install.code();
    let ends = code.find("if ($WhatIfPreference) { exit 0 }").expect("the end of what is shown");
    let sets = code.find("{ Set-Setting -InstanceId").expect("the settings");
    assert!(sets < ends, "-WhatIf does not show the settings");
}

#[test]
fn signing_reaches_no_server_that_was_not_named() {
    let makefile = read("Makefile.toml");
    let code: String =
        makefile.lines().filter(|line| !line.starts_with('#')).flat_map(|it| [it, "\n"]).collect();
    assert!(!code.contains("http"), "a server is built in");
    let task =
        code.split_once("[tasks.signtool-sign]\n").expect("the task").1.split_once("\n[").expect("its end").0;
    let arguments: Vec<&str> = task.lines().map(|line| line.trim().trim_end_matches(',')).collect();
    for unwanted in ["\"/t\"", "\"/tr\""] {
        assert!(!arguments.contains(&unwanted), "every signature asks for a time stamp");
    }
    assert!(arguments.contains(&"\"@@split(GPUP_TIME_STAMP, ,remove-empty)\""), "{task}");
    let set = code.lines().find(|line| line.starts_with("GPUP_TIME_STAMP = ")).expect("the options");
    assert!(set.contains("env_set = [\"GPUP_TIME_STAMP_SERVER\"]"), "{set}");
    assert!(set.contains("/tr ${GPUP_TIME_STAMP_SERVER} /td SHA256"), "{set}");
    assert!(read("docs/windows.md").contains("GPUP_TIME_STAMP_SERVER"));
}

/// What looks like the id of a device, a class or a function of PCI.
fn ids(code: &str) -> Vec<String> {
    let words = code.split(|c: char| !(c.is_ascii_alphanumeric() || "\\&_-".contains(c)));
    let hex = |text: &str| text.len() == 4 && text.chars().all(|c| c.is_ascii_hexdigit());
    let guid = |word: &str| {
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12] && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let device = |word: &str| {
        let upper = word.to_ascii_uppercase();
        ["ROOT\\", "ACPI\\"].iter().any(|bus| upper.strip_prefix(bus).is_some_and(|id| !id.is_empty()))
            || upper
                .split(['\\', '&'])
                .any(|part| ["VEN_", "DEV_"].iter().any(|name| part.strip_prefix(name).is_some_and(&hex)))
            || ["GPUP_KMD", "GPUP0001"].contains(&word)
    };
    words.filter(|word| guid(word) || device(word)).map(str::to_owned).collect()
}

#[test]
fn no_script_has_an_id_that_the_inf_or_windows_knows() {
    let known =
        "'PCI\\VEN_1234&DEV_4756' 'Root\\GPUP_KMD' '*#GPUP0001#*' {8F0C1B5A-6E1D-4B57-9C22-47B0A1D3E94C}";
    assert_eq!(ids(known).len(), 4, "{:?}", ids(known));
    for name in scripts(&[".ps1", ".psm1"]) {
        let found = ids(&parsed(&name).code());
        // The one that stands in no INF: which class the driver answers. It is a parameter.
        let allowed: &[&str] =
            if name == "livemigrate.ps1" { &["8F0C1B5A-6E1D-4B57-9C22-47B0A1D3E94C"] } else { &[] };
        assert_eq!(found, allowed, "{name}");
    }
    assert!(script("livemigrate.ps1").contains("    [guid] $UmedClass = '"));
    // Where they come from instead.
    for name in ["install.ps1", "uninstall.ps1", "livemigrate.ps1"] {
        let parsed = parsed(name);
        assert!(!parsed.calls_of("Get-InfHardwareId").is_empty(), "{name} asks no INF");
        for call in parsed.calls_of("Get-GpupDevice") {
            assert!(call.text.contains("-HardwareId $ids"), "{name}: {}", call.text);
        }
    }
    let migrate = parsed("livemigrate.ps1");
    for call in migrate.calls_of("Find-PartitionableGpu") {
        assert!(call.text.contains("-InstanceId "), "{}", call.text);
    }
    let vf = migrate.function("Get-VfHardwareId").to_owned();
    for part in ["'VendorId', 'DeviceId'", "Get-SoftwareKey", "Get-InfDefault"] {
        assert!(vf.contains(part), "{vf}");
    }
}

/// Inf.psm1 looks for these forms; the INF has them.
#[test]
fn the_inf_is_as_its_reader_takes_it() {
    let inf = read("inf/gpup_kmd.inx");
    let lines: Vec<&str> =
        inf.lines().map(|line| line.split(';').next().unwrap_or_default().trim()).collect();
    let after =
        |head: &str| lines.iter().skip_while(|line| **line != head).nth(1).copied().unwrap_or_default();
    let models = after("[Manufacturer]").split(['=', ',']).nth(1).expect("models").trim().to_owned();
    let sections = lines.iter().filter(|line| line.starts_with(&format!("[{models}.")));
    assert_eq!(sections.count(), 1);
    let roots =
        lines.iter().filter(|line| line.split(['=', ',']).skip(2).any(|id| id.trim().starts_with("Root\\")));
    assert_eq!(roots.count(), 1);
    let services = lines.iter().position(|line| line.ends_with(".Services]")).expect("services");
    assert!(lines[services..].iter().any(|line| line.starts_with("AddService = gpup_kmd,")));
    for name in ["VendorId", "DeviceId"] {
        let line = lines.iter().find(|line| line.starts_with(&format!("HKR,,{name},"))).expect("a setting");
        let value = line.split(',').nth(4).expect("a value");
        assert!(value.strip_prefix("0x").is_some_and(|hex| u32::from_str_radix(hex, 16).is_ok()), "{line}");
    }
}

/// A module's functions are found by who imports it: nothing here imports a module from a module.
#[test]
fn every_script_imports_what_it_calls() {
    let modules: Vec<(String, Vec<String>)> = scripts(&[".psm1"])
        .into_iter()
        .map(|name| {
            let text = script(&name);
            let list = text.split_once("\nExport-ModuleMember ").expect("what it exports").1;
            let functions = list.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
            (name, functions)
        })
        .collect();
    for name in scripts(&[".ps1", ".psm1"]) {
        let parsed = parsed(&name);
        let imports: String = parsed.calls_of("Import-Module").into_iter().map(|call| call.text).collect();
        assert!(imports.is_empty() || name.ends_with(".ps1"), "{name} imports a module");
        for call in parsed.calls() {
            for (module, functions) in &modules {
                let has = *module == name || imports.contains(module.as_str());
                assert!(
                    has || !functions.contains(&call.name),
                    "{name} calls {} without {module}",
                    call.name
                );
            }
        }
    }
}
