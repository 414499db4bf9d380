#Requires -Version 5.1
<#
.SYNOPSIS
Takes gpup_kmd off this machine: devices, driver packages, certificate, lab policy.

.DESCRIPTION
Removes every device of the driver, then every version of the package from the driver store, then the certificate of
the package in -Package from the stores Root and TrustedPublisher, and the two lab policy values if livemigrate.ps1
set them. What is gone already is no error. Driver Verifier's settings stay: see verifier.ps1 -Off.

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
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LabPolicy.psm1') -Force

$restart = $false
Assert-Administrator
Assert-WindowsBuild

foreach ($device in @(Get-GpupDevice)) {
    if ($PSCmdlet.ShouldProcess($device.InstanceId, 'remove the device')) {
        $code = Invoke-SystemProgram -Name pnputil.exe -Arguments '/remove-device', $device.InstanceId -Allowed 0, 3010
        if ($code -eq 3010) { $restart = $true }
    }
}

$packages = Get-WindowsDriver -Online | Where-Object { (Split-Path -Path $_.OriginalFileName -Leaf) -eq 'gpup_kmd.inf' }
foreach ($driver in @($packages)) {
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

if ((Get-LabPolicy) -and $PSCmdlet.ShouldProcess('the lab policy values of Hyper-V', 'remove')) {
    Remove-LabPolicy
}

if ($restart) { Write-Output -InputObject 'restart Windows to finish the removal' }
