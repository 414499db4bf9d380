<#
The three parts of a true Hyper-V run that this driver does not bring, and how each is looked for.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The COM class that the driver's CreateVirtualGpu answers (src/ddi/partition.rs).
$script:Umed = '{8F0C1B5A-6E1D-4B57-9C22-47B0A1D3E94C}'
# How a VF's function shows inside the guest: the settings VendorId and DeviceId at their defaults.
$script:VfHardwareId = 'PCI\VEN_1234&DEV_4756'

$script:NoUmed = "no user-mode emulation DLL is registered for the COM class $script:Umed that CreateVirtualGpu answers (it must trap the VF's MSI-X table)"
$script:NoGuestDriver = 'no driver for the VF is known to run inside the guest (install one and pass -GuestCredential so that it can be looked for)'
$script:NoPartitioning = 'Get-VMHostPartitionableGpu does not list the adapter, so Hyper-V does not offer partitioning for this device without PCI SR-IOV'

function Test-Umed {
    $key = "HKLM:\SOFTWARE\Classes\CLSID\$script:Umed\InprocServer32"
    if (-not (Test-Path -LiteralPath $key)) { return $false }
    $file = [string] (Get-Item -LiteralPath $key).GetValue('')
    $file -ne '' -and (Test-Path -LiteralPath ([Environment]::ExpandEnvironmentVariables($file)))
}

<#
.SYNOPSIS
The partitionable GPUs of a host that this driver serves. Their names hold the device's instance id with # for \.
#>
function Find-PartitionableGpu {
    param([string] $ComputerName = $env:COMPUTERNAME)
    Get-VMHostPartitionableGpu -ComputerName $ComputerName | Where-Object {
        $_.Name -like '*#GPUP_KMD#*' -or $_.Name -like '*#GPUP0001#*' -or $_.Name -like '*#VEN_GPUP&DEV_0001#*'
    }
}

<#
.SYNOPSIS
The parts that are missing, a clause each; nothing when all are there.
#>
function Get-MissingPart {
    param([switch] $HasGuestCredential)
    if (-not (Test-Umed)) { $script:NoUmed }
    if (-not $HasGuestCredential) { $script:NoGuestDriver }
    if (@(Find-PartitionableGpu).Count -eq 0) { $script:NoPartitioning }
}

<#
.SYNOPSIS
Needs a started VF inside the guest, looked for by PowerShell Direct.
#>
function Assert-GuestDriver {
    param(
        [Parameter(Mandatory)] [string] $VMName,
        [Parameter(Mandatory)] [pscredential] $Credential
    )
    $vfs = @(Invoke-Command -VMName $VMName -Credential $Credential -ArgumentList $script:VfHardwareId -ScriptBlock {
        param([string] $Id)
        Get-PnpDevice -PresentOnly | Where-Object { @($_.HardwareID) -like "$Id*" } |
            Select-Object -Property @('InstanceId', 'Status', 'Service')
    })
    if ($vfs.Count -eq 0) { throw "the guest of $VMName sees no VF ($script:VfHardwareId): look at the VM's partition and its MMIO space" }
    if (@($vfs | Where-Object { $_.Status -eq 'OK' -and $_.Service }).Count -eq 0) { throw "$($vfs[0].InstanceId) in ${VMName}: $script:NoGuestDriver" }
}

Export-ModuleMember -Function @(
    'Find-PartitionableGpu', 'Get-MissingPart', 'Assert-GuestDriver'
)
