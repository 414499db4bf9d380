#Requires -Version 5.1
<#
.SYNOPSIS
Installs gpup_kmd on this machine: certificate, driver package, software device, settings.

.DESCRIPTION
Puts the package's test certificate into the machine's stores Root and TrustedPublisher, adds the package to the
driver store (pnputil), makes the root-enumerated device that its INF names if there is none, and starts it. What is there
already stays; run again, it brings a newer package in. With -Setting it writes the adapter's settings and restarts
the device. docs/windows.md has the settings' meanings and limits.

Never run on Windows by the project: written from Microsoft's documentation.

.PARAMETER Package
Folder with gpup_kmd.sys, .inf, .cat and .cer. Default: target\package of this checkout.

.PARAMETER Setting
Settings as NAME=VALUE, separated by commas, as in NumberOfVfs=8,VramBytes=4294967296. NAME= takes the value away, so
that the driver's default holds.

.PARAMETER NoDevice
Makes no software device: for a device that hardware or an SSDT (scripts\windows\ssdt) brings.

.EXAMPLE
cargo make install

.EXAMPLE
.\install.ps1 -Package D:\gpup -Setting NumberOfVfs=8,VramBytes=4294967296
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Package = (Join-Path -Path $PSScriptRoot -ChildPath '..\..\target\package'),
    [string[]] $Setting = @(),
    [switch] $NoDevice
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
trap { Write-Problem -Problem $_ -Script 'install'; exit 1 }
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Preconditions.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Inf.psm1') -Force

# Settings of 64 bits; all others are REG_DWORD. src/settings.rs has their meanings and limits.
$wide = @('VramBytes')
$names = 'Backend', 'NumberOfVfs', 'DirtyTrackingPerformant', 'ScatterMapReserve', 'DirtyPageBytes', 'VendorId', 'DeviceId', 'DeviceRevision',
    'FirmwareVersion', 'QuantumUs', 'PreemptTimeoutUs', 'PagingMiBPerSecond', 'EnginePercent'

function ConvertFrom-Setting {
    param([string[]] $Text)
    $values = [ordered]@{}
    foreach ($pair in ($Text -split ',' | Where-Object { $_.Trim() -ne '' })) {
        $name, $value = $pair -split '=', 2
        $known = @($wide + $names) -eq $name.Trim()
        if ($known.Count -eq 0) { throw "no setting is called $name`: use one of $(($wide + $names) -join ', ')" }
        if ($null -eq $value -or $value.Trim() -notmatch '^\d*$') {
            throw "$pair is no setting: write $($known[0])=NUMBER, or $($known[0])= for the default"
        }
        $values[$known[0]] = $value.Trim()
    }
    $values
}

function Set-Setting {
    param([string] $InstanceId, [System.Collections.IDictionary] $Values)
    $key = Get-SoftwareKey -InstanceId $InstanceId
    foreach ($name in $Values.Keys) {
        $value = $Values[$name]
        if ($value -eq '') {
            if ($PSCmdlet.ShouldProcess($key, "remove $name")) {
                Remove-ItemProperty -LiteralPath $key -Name $name -ErrorAction SilentlyContinue
            }
            continue
        }
        # The registry provider takes signed numbers only; the bits are the same.
        if ($wide -contains $name) {
            $type = 'QWord'
            $bits = [BitConverter]::ToInt64([BitConverter]::GetBytes([uint64] $value), 0)
        } else {
            $type = 'DWord'
            $bits = [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32] $value), 0)
        }
        if ($PSCmdlet.ShouldProcess($key, "set $name to $value ($type)")) {
            New-ItemProperty -LiteralPath $key -Name $name -PropertyType $type -Value $bits -Force | Out-Null
        }
    }
    if ($PSCmdlet.ShouldProcess($InstanceId, 'restart the device')) {
        # 3010: the restart waits for a restart of Windows.
        $code = Invoke-SystemProgram -Name pnputil.exe -Arguments '/restart-device', $InstanceId -Allowed 0, 3010
        if ($code -eq 3010) { $script:restart = $true }
    }
}

function Add-Certificate {
    param([Security.Cryptography.X509Certificates.X509Certificate2] $Certificate, [string] $File)
    foreach ($store in Get-CertificateStore) {
        if (Test-Path -Path "$store\$($Certificate.Thumbprint)") { continue }
        if ($PSCmdlet.ShouldProcess($store, "add the certificate $($Certificate.Subject)")) {
            Import-Certificate -FilePath $File -CertStoreLocation $store | Out-Null
        }
    }
}

$restart = $false
$values = ConvertFrom-Setting -Text $Setting
Assert-Administrator
Assert-WindowsBuild
Assert-TestSigning
$files = Get-DriverPackage -Path $Package
$certificate = Get-PackageCertificate -Package $files
$ids = @(Get-InfHardwareId -Path $files.inf)

Add-Certificate -Certificate $certificate -File $files.cer

if ($PSCmdlet.ShouldProcess($files.inf, 'add to the driver store and install on matching devices')) {
    # 259: nothing to update. 3010: done when Windows restarts.
    $code = Invoke-SystemProgram -Name pnputil.exe -Arguments '/add-driver', $files.inf, '/install' -Allowed 0, 259, 3010
    if ($code -eq 3010) { $restart = $true }
}

if (-not $NoDevice -and @(Get-GpupDevice -HardwareId $ids).Count -eq 0) {
    $rootId = $ids | Where-Object { $_ -like 'Root\*' } | Select-Object -First 1
    if (-not $rootId) { throw "$($files.inf) names no root-enumerated device: run this with -NoDevice" }
    if ($PSCmdlet.ShouldProcess($rootId, 'make the software device')) {
        Add-Type -Path (Join-Path -Path $PSScriptRoot -ChildPath 'RootDevice.cs')
        $needsRestart = $false
        $made = [Gpup.RootDevice]::Create($files.inf, $rootId, [ref] $needsRestart)
        Write-Output -InputObject "made $made"
        if ($needsRestart) { $restart = $true }
    }
}

if ($values.Count -gt 0) {
    $devices = @(Get-GpupDevice -HardwareId $ids -PresentOnly)
    if ($devices.Count -eq 0 -and $WhatIfPreference) {
        Write-Output -InputObject "the new device would get $(@($values.Keys) -join ', ')"
    } elseif ($devices.Count -eq 0) {
        throw 'no device has this driver, so there is nothing to set: run this without -NoDevice'
    }
    foreach ($device in $devices) { Set-Setting -InstanceId $device.InstanceId -Values $values }
}
if ($WhatIfPreference) { exit 0 }
if ($restart) {
    Write-Output -InputObject 'restart Windows to finish the installation'
    exit 0
}
foreach ($device in @(Get-GpupDevice -HardwareId $ids -PresentOnly)) {
    $version = (Get-PnpDeviceProperty -InstanceId $device.InstanceId -KeyName DEVPKEY_Device_DriverVersion).Data
    Write-Output -InputObject "$($device.InstanceId): $($device.FriendlyName), driver $version, status $($device.Status)"
}
if ($NoDevice -and @(Get-GpupDevice -HardwareId $ids -PresentOnly).Count -eq 0) {
    Write-Output -InputObject 'the package is in the driver store; no device uses it yet'
    exit 0
}
Get-StartedDevice -HardwareId $ids | Out-Null
