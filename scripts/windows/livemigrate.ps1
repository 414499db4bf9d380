#Requires -Version 5.1
<#
.SYNOPSIS
Moves a running VM with a partition of gpup_kmd to another Hyper-V host, traces it and prints the pause.

.DESCRIPTION
A true run on Hyper-V needs three things that do not come with this driver. The script looks for each and stops with
a sentence that names those it does not find, before anything but the lab policy is changed:

1. a user-mode emulation DLL (UMED). Microsoft's article "Live migration on GPU-P devices" requires it to put
   mitigations on the pages of every migratable VF's MSI-X table; CreateVirtualGpu answers its COM class.
2. a driver for the VF inside the guest.
3. proof that Hyper-V offers partitioning for a device without PCI SR-IOV.

When all three are there: sets the partition count, gives the VM a partition, starts it, checks
SupportsOutgoingLiveMigration and the destination's SupportsIncomingLiveMigration, compares the hosts (Compare-VM),
records gpup.wprp, moves the VM (Move-VM) and prints the pause that Hyper-V's log states.

Never run on Windows by the project: written from Microsoft's documentation.

.PARAMETER VMName
The VM on this host.

.PARAMETER DestinationHost
The other host; gpup_kmd is installed there with the same settings.

.PARAMETER GuestCredential
An administrator of the guest, so that PowerShell Direct can look for the VF's driver inside it.

.PARAMETER PartitionCount
Partitions to divide the adapter into; 0 leaves the count as it is.

.PARAMETER HighMmioBytes
High MMIO space of the VM, for the VF's BARs; 0 leaves it as it is. A VM that runs with another one stops the script.

.PARAMETER UmedClass
COM class of the user-mode emulation DLL. Default: the one that this driver's CreateVirtualGpu answers.

.PARAMETER DestinationStoragePath
Folder on the destination for the VM's disks; without it the disks lie on shared storage.

.PARAMETER TraceFolder
Where the trace goes. Default: target\trace of this checkout.

.PARAMETER Detail
Light records the driver and Hyper-V, Verbose also Dxgkrnl.

.PARAMETER LabPolicy
LAB ONLY. On switches Hyper-V's requirements for secure and supported device assignment off on both hosts or, if one
of them refuses, on neither; Off puts back what was there before, Keep (the default) leaves them as they are. Without
the requirements nothing isolates one VM's device from another VM's memory: never on a host whose workloads matter. On
and Off need PowerShell remoting to the other host.

.EXAMPLE
cargo make livemigrate -VMName guest1 -DestinationHost host2

.EXAMPLE
.\livemigrate.ps1 -VMName guest1 -DestinationHost host2 -GuestCredential (Get-Credential) -PartitionCount 4
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [string] $VMName,
    [Parameter(Mandatory)] [string] $DestinationHost,
    [pscredential] $GuestCredential,
    [uint16] $PartitionCount = 0,
    [uint64] $HighMmioBytes = 0,
    [guid] $UmedClass = '8F0C1B5A-6E1D-4B57-9C22-47B0A1D3E94C',
    [string] $DestinationStoragePath,
    [string] $TraceFolder = (Join-Path -Path $PSScriptRoot -ChildPath '..\..\target\trace'),
    [ValidateSet('Light', 'Verbose')] [string] $Detail = 'Light',
    [ValidateSet('Keep', 'On', 'Off')] [string] $LabPolicy = 'Keep'
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
trap { Write-Problem -Problem $_ -Script 'livemigrate'; exit 1 }
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Preconditions.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Inf.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LabPolicy.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'MissingParts.psm1') -Force

function Set-Policy {
    if ($LabPolicy -eq 'On' -and $PSCmdlet.ShouldProcess("Hyper-V of $($hosts -join ' and ')", 'LAB ONLY: switch secure device assignment off')) {
        Set-LabPolicy -ComputerName $hosts
    }
    if ($LabPolicy -eq 'Off' -and $PSCmdlet.ShouldProcess("Hyper-V of $($hosts -join ' and ')", 'restore secure device assignment')) {
        Remove-LabPolicy -ComputerName $hosts
    }
}

# Also after a failure: the values outlive the script.
function Write-PolicyWarning {
    foreach ($computer in $hosts) {
        try {
            $set = @(Get-LabPolicy -ComputerName $computer)
        } catch {
            Write-Warning -Message "whether LAB ONLY values are set on $computer is not known: $($_.Exception.Message)"
            continue
        }
        if ($set.Count -gt 0) {
            Write-Warning -Message "LAB ONLY: $($set -join ' and ') = 0 on $computer, in force at the latest when Windows restarts; -LabPolicy Off takes them back"
        }
    }
}

# Set before anything else of the VM or the adapter: a VM that runs takes no other size.
function Set-HighMmio {
    if ($HighMmioBytes -eq 0) { return }
    $vm = Get-VM -Name $VMName
    if ($vm.HighMemoryMappedIoSpace -eq $HighMmioBytes) { return }
    if ($vm.State -ne 'Off') {
        throw "$VMName runs with $($vm.HighMemoryMappedIoSpace) bytes of high MMIO space, not the $HighMmioBytes of -HighMmioBytes: run `"Stop-VM $VMName`" and then this again, or leave it out"
    }
    if (-not $PSCmdlet.ShouldProcess($VMName, "set the high MMIO space to $HighMmioBytes bytes")) { return }
    Set-VM -Name $VMName -HighMemoryMappedIoSpace $HighMmioBytes
    $now = (Get-VM -Name $VMName).HighMemoryMappedIoSpace
    if ($now -ne $HighMmioBytes) { throw "Hyper-V made $now bytes of high MMIO space out of -HighMmioBytes $HighMmioBytes`: choose a size that it takes" }
}

function Set-Partition {
    param($Gpu)
    if ($PartitionCount -eq 0 -or $Gpu.PartitionCount -eq $PartitionCount) { return }
    if (@($Gpu.ValidPartitionCounts) -notcontains $PartitionCount) {
        throw "the adapter cannot be divided by $PartitionCount`: use one of $(@($Gpu.ValidPartitionCounts) -join ', ')"
    }
    if ($PSCmdlet.ShouldProcess($Gpu.Name, "divide into $PartitionCount partitions")) {
        Set-VMHostPartitionableGpu -Name $Gpu.Name -PartitionCount $PartitionCount
    }
}

function Add-Partition {
    param($Gpu)
    if (@(Get-VMGpuPartitionAdapter -VMName $VMName).Count -gt 0) { return }
    if ((Get-VM -Name $VMName).State -ne 'Off') {
        throw "$VMName has no partition and runs: run `"Stop-VM $VMName`" and then this again"
    }
    if (-not $PSCmdlet.ShouldProcess($VMName, "add a partition of $($Gpu.Name)")) { return }
    Add-VMGpuPartitionAdapter -VMName $VMName -InstancePath $Gpu.Name
    Set-VM -Name $VMName -GuestControlledCacheTypes $true
}

function Start-Guest {
    if ((Get-VM -Name $VMName).State -eq 'Running') { return }
    if ($PSCmdlet.ShouldProcess($VMName, 'start')) {
        Start-VM -Name $VMName
        Wait-VM -Name $VMName -For Heartbeat -Timeout 300
    }
}

# How a guest knows a VF: by the adapter's settings, and the INF's defaults where it has none.
function Get-VfHardwareId {
    $key = Get-Item -LiteralPath (Get-SoftwareKey -InstanceId $device.InstanceId)
    $numbers = @('VendorId', 'DeviceId' | ForEach-Object {
        $set = $key.GetValue($_)
        if ($null -ne $set) { $set } else { Get-InfDefault -Path $inf -Name $_ }
    })
    'PCI\VEN_{0:X4}&DEV_{1:X4}' -f $numbers
}

function Assert-Migratable {
    foreach ($adapter in @(Get-VMGpuPartitionAdapter -VMName $VMName)) {
        if (-not $adapter.SupportsOutgoingLiveMigration) {
            throw "SupportsOutgoingLiveMigration is false for the partition $($adapter.Id) of $VMName`: Hyper-V will not move it live from here"
        }
    }
    $there = @(Get-GpupDevice -HardwareId $ids -ComputerName $DestinationHost -PresentOnly)
    if ($there.Count -eq 0) { throw "$DestinationHost has no device $($ids -join ' or '): run install.ps1 there" }
    $incoming = @(Find-PartitionableGpu -ComputerName $DestinationHost -InstanceId @($there | ForEach-Object { $_.InstanceId }))
    if ($incoming.Count -eq 0) { throw "$DestinationHost offers no partition of $($there[0].InstanceId): see Get-VMHostPartitionableGpu there" }
    if (@($incoming | Where-Object -Property SupportsIncomingLiveMigration -EQ -Value $true).Count -eq 0) {
        throw "SupportsIncomingLiveMigration is false on $DestinationHost`: Hyper-V will not take the VM there"
    }
    foreach ($computer in $hosts) {
        if (-not (Get-VMHost -ComputerName $computer).VirtualMachineMigrationEnabled) {
            throw "live migration is off on $computer`: run `"Enable-VMMigration`" and `"Set-VMMigrationNetwork`" there"
        }
    }
    $report = Compare-VM -Name $VMName -DestinationHost $DestinationHost @storage
    $reasons = @($report.Incompatibilities | Where-Object { $null -ne $_ } | ForEach-Object { $_.Message })
    if ($reasons.Count -gt 0) { throw "$DestinationHost cannot take $VMName`: $($reasons -join ' | ')" }
}

# Hyper-V's log states the pause ("blackout") in event 20415, on a host too slow for it in 20417. Known from field
# use only: Microsoft documents neither the events nor the order of their values.
function Get-Pause {
    param([datetime] $Since)
    foreach ($computer in $hosts) {
        Get-WinEvent -ComputerName $computer -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'Microsoft-Windows-Hyper-V-VMMS-Admin'; Id = 20415, 20417; StartTime = $Since
        } | Where-Object { $_.Message.Contains($VMName) } | ForEach-Object { "$computer, event $($_.Id): $($_.Message)" }
    }
}

function Move-Traced {
    $file = Join-Path -Path $TraceFolder -ChildPath ('livemigrate-{0:yyyyMMdd-HHmmss}.etl' -f (Get-Date))
    $profileName = "$(Join-Path -Path $PSScriptRoot -ChildPath 'gpup.wprp')!Gpup.$Detail"
    New-Item -ItemType Directory -Force -Path $TraceFolder | Out-Null
    Invoke-SystemProgram -Name wpr.exe -Arguments '-start', $profileName, '-filemode' | Out-Null
    $began = Get-Date
    $watch = [Diagnostics.Stopwatch]::StartNew()
    try {
        Move-VM -Name $VMName -DestinationHost $DestinationHost @storage
    } finally {
        $watch.Stop()
        Invoke-SystemProgram -Name wpr.exe -Arguments '-stop', $file, "gpup_kmd live migration of $VMName" | Out-Null
        Write-Output -InputObject "trace     $file"
    }
    Write-Output -InputObject ('moved     {0:N1} s for all of Move-VM' -f $watch.Elapsed.TotalSeconds)
    $pause = @(Get-Pause -Since $began)
    if ($pause.Count -eq 0) {
        Write-Output -InputObject 'pause     not in Hyper-V''s log: read it from the trace'
    }
    foreach ($line in $pause) { Write-Output -InputObject "pause     $line" }
}

$storage = @{}
if ($DestinationStoragePath) {
    $storage = @{ IncludeStorage = $true; DestinationStoragePath = $DestinationStoragePath }
}
$hosts = $env:COMPUTERNAME, $DestinationHost

Assert-Administrator
Assert-WindowsBuild
Assert-TestSigning
$inf = Get-InstalledInf
Assert-InstalledCertificate -Service (Get-InfService -Path $inf)
Assert-HyperV
$ids = @(Get-InfHardwareId -Path $inf)
$device = Get-StartedDevice -HardwareId $ids
if ($null -eq (Get-VM -Name $VMName -ErrorAction SilentlyContinue)) { throw "no VM is called $VMName on this host: see Get-VM" }

try {
    Set-Policy
} finally {
    Write-PolicyWarning
}

$missing = @(Get-MissingPart -InstanceId $device.InstanceId -UmedClass $UmedClass -HasGuestCredential:($null -ne $GuestCredential))
if ($missing.Count -gt 0) { throw "Hyper-V cannot move $VMName with $($device.InstanceId) yet: $($missing -join '; ')" }

$gpu = @(Find-PartitionableGpu -InstanceId $device.InstanceId)[0]
Set-HighMmio
Set-Partition -Gpu $gpu
Add-Partition -Gpu $gpu
Start-Guest
if (-not $WhatIfPreference) {
    Assert-GuestDriver -VMName $VMName -Credential $GuestCredential -HardwareId (Get-VfHardwareId)
    Assert-Migratable
}
if ($PSCmdlet.ShouldProcess($VMName, "move to $DestinationHost, with a trace in $TraceFolder")) { Move-Traced }
