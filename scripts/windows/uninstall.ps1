#Requires -Version 5.1
<#
.SYNOPSIS
Takes gpup_kmd off this machine: devices, driver packages, certificate, lab policy.

.DESCRIPTION
Removes every device of the driver, then every version of the package from the driver store, then the certificate of
the package in -Package from the stores Root and TrustedPublisher, and the two lab policy values of this host if
livemigrate.ps1 set them. What is gone already is no error. Driver Verifier's settings stay: see verifier.ps1 -Off.

Never run on Windows by the project: written from Microsoft's documentation.

.PARAMETER Package
Folder with gpup_kmd.cer. Default: target\package of this checkout.

.PARAMETER KeepCertificate
Leaves the certificate trusted.

.EXAMPLE
cargo make uninstall

.EXAMPLE
.\uninstall.ps1 -WhatIf
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Package = (Join-Path -Path $PSScriptRoot -ChildPath '..\..\target\package'),
    [switch] $KeepCertificate
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
trap { Write-Problem -Problem $_ -Script 'uninstall'; exit 1 }
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Preconditions.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Inf.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LabPolicy.psm1') -Force

$restart = $false
Assert-Administrator
Assert-WindowsBuild

$packages = @(Get-InstalledPackage)
$infs = @($packages | ForEach-Object { $_.OriginalFileName })
$infs += @(Join-Path -Path $Package -ChildPath 'gpup_kmd.inf' | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf })
$ids = @($infs | ForEach-Object { Get-InfHardwareId -Path $_ } | Select-Object -Unique)
if ($ids.Count -eq 0) {
    Write-Warning -Message "no gpup_kmd.inf in the driver store or in ${Package}: name the package with -Package if its device is still there"
} else {
    foreach ($device in @(Get-GpupDevice -HardwareId $ids)) {
        if ($PSCmdlet.ShouldProcess($device.InstanceId, 'remove the device')) {
            $code = Invoke-SystemProgram -Name pnputil.exe -Arguments '/remove-device', $device.InstanceId -Allowed 0, 3010
            if ($code -eq 3010) { $restart = $true }
        }
    }
}

foreach ($driver in $packages) {
    if ($PSCmdlet.ShouldProcess("$($driver.Driver), version $($driver.Version)", 'delete from the driver store')) {
        $code = Invoke-SystemProgram -Name pnputil.exe -Arguments '/delete-driver', $driver.Driver, '/uninstall' -Allowed 0, 3010
        if ($code -eq 3010) { $restart = $true }
    }
}

$file = Join-Path -Path $Package -ChildPath 'gpup_kmd.cer'
if (-not $KeepCertificate -and (Test-Path -LiteralPath $file -PathType Leaf)) {
    $path = (Resolve-Path -LiteralPath $file).ProviderPath
    $certificate = New-Object -TypeName Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $path
    foreach ($store in Get-CertificateStore) {
        $entry = "$store\$($certificate.Thumbprint)"
        if ((Test-Path -Path $entry) -and $PSCmdlet.ShouldProcess($entry, 'remove the certificate')) {
            Remove-Item -Path $entry
        }
    }
} elseif (-not $KeepCertificate) {
    Write-Warning -Message "$file is not there: if its certificate is trusted, remove it in certlm.msc, or name the package with -Package"
}

if ($PSCmdlet.ShouldProcess('the lab policy of Hyper-V', 'put back what livemigrate.ps1 changed')) {
    Remove-LabPolicy
}
$set = @(Get-LabPolicy)
if ($set.Count -gt 0 -and -not $WhatIfPreference) {
    Write-Warning -Message "LAB ONLY: $($set -join ' and ') = 0 were here before livemigrate.ps1: take them away yourself if they are not wanted"
}

if ($restart) { Write-Output -InputObject 'restart Windows to finish the removal' }
