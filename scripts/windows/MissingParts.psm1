<#
The three parts of a true Hyper-V run that this driver does not bring, and how each is looked for.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:NoGuestDriver = 'no driver for the VF is known to run inside the guest (install one and pass -GuestCredential so that it can be looked for)'
$script:NoPartitioning = 'Get-VMHostPartitionableGpu does not list the adapter, so Hyper-V does not offer partitioning for this device without PCI SR-IOV'

function Test-Umed {
    param([guid] $Class)
    $key = "HKLM:\SOFTWARE\Classes\CLSID\{$Class}\InprocServer32"
    if (-not (Test-Path -LiteralPath $key)) { return $false }
    $file = [string] (Get-Item -LiteralPath $key).GetValue('')
    $file -ne '' -and (Test-Path -LiteralPath ([Environment]::ExpandEnvironmentVariables($file)))
}

<#
.SYNOPSIS
The partitionable GPUs of a host that are these devices. Their names hold the device's instance id with # for \.
#>
function Find-PartitionableGpu {
    param(
        [Parameter(Mandatory)] [string[]] $InstanceId,
        [string] $ComputerName = $env:COMPUTERNAME
    )
    $parts = @($InstanceId | ForEach-Object { '#' + $_.Replace('\', '#') + '#' })
    Get-VMHostPartitionableGpu -ComputerName $ComputerName | Where-Object {
        $name = '#' + $_.Name.Replace('\', '#') + '#'
        @($parts | Where-Object { $name.IndexOf($_, [StringComparison]::OrdinalIgnoreCase) -ge 0 }).Count -gt 0
    }
}

<#
.SYNOPSIS
The parts that are missing, a clause each; nothing when all are there.
#>
function Get-MissingPart {
    param(
        [Parameter(Mandatory)] [string] $InstanceId,
        [Parameter(Mandatory)] [guid] $UmedClass,
        [switch] $HasGuestCredential
    )
    if (-not (Test-Umed -Class $UmedClass)) {
        "no user-mode emulation DLL is registered for the COM class {$UmedClass} that CreateVirtualGpu answers (it must trap the VF's MSI-X table)"
    }
    if (-not $HasGuestCredential) { $script:NoGuestDriver }
    if (@(Find-PartitionableGpu -InstanceId $InstanceId).Count -eq 0) { $script:NoPartitioning }
}

<#
.SYNOPSIS
Needs a started VF with this hardware id inside the guest, looked for by PowerShell Direct.
#>
function Assert-GuestDriver {
    param(
        [Parameter(Mandatory)] [string] $VMName,
        [Parameter(Mandatory)] [pscredential] $Credential,
        [Parameter(Mandatory)] [string] $HardwareId
    )
    $vfs = @(Invoke-Command -VMName $VMName -Credential $Credential -ArgumentList $HardwareId -ScriptBlock {
        param([string] $Id)
        Get-PnpDevice -PresentOnly | Where-Object { @($_.HardwareID) -like "$Id*" } |
            Select-Object -Property @('InstanceId', 'Status', 'Service')
    })
    if ($vfs.Count -eq 0) { throw "the guest of $VMName sees no VF ($HardwareId): look at the VM's partition and its MMIO space" }
    if (@($vfs | Where-Object { $_.Status -eq 'OK' -and $_.Service }).Count -eq 0) { throw "$($vfs[0].InstanceId) in ${VMName}: $script:NoGuestDriver" }
}

Export-ModuleMember -Function @(
    'Find-PartitionableGpu', 'Get-MissingPart', 'Assert-GuestDriver'
)
