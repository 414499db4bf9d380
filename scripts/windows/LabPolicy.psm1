<#
LAB ONLY. Two policy values that let Hyper-V assign a device without its own requester id and without ACS.

On Windows Server the default policy wants both from a GPU whose partitions a VM gets; the simulated device reports
neither. Without them nothing keeps one VM's device from reaching another's memory, so a host that has these values
must run no workload that matters. Source: "DXGKARG_GETVIRTUALGPUPROFILE structure (dispmprt.h)".
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:PolicyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\HyperV'
$script:Names = 'RequireSecureDeviceAssignment', 'RequireSupportedDeviceAssignment'

<#
.SYNOPSIS
The lab values that are set to 0.
#>
function Get-LabPolicy {
    if (-not (Test-Path -Path $script:PolicyKey)) { return }
    $key = Get-Item -Path $script:PolicyKey
    $script:Names | Where-Object { $key.GetValue($_) -eq 0 }
}

<#
.SYNOPSIS
LAB ONLY: switches both requirements off.
#>
function Set-LabPolicy {
    if (-not (Test-Path -Path $script:PolicyKey)) { New-Item -Path $script:PolicyKey -Force | Out-Null }
    foreach ($name in $script:Names) {
        New-ItemProperty -Path $script:PolicyKey -Name $name -PropertyType DWord -Value 0 -Force | Out-Null
    }
}

<#
.SYNOPSIS
Takes the values that are 0 away, so that the default policy holds again.
#>
function Remove-LabPolicy {
    foreach ($name in @(Get-LabPolicy)) { Remove-ItemProperty -Path $script:PolicyKey -Name $name }
}

Export-ModuleMember -Function @(
    'Get-LabPolicy', 'Set-LabPolicy', 'Remove-LabPolicy'
)
