#Requires -Version 5.1
<#
.SYNOPSIS
Sets Driver Verifier to check gpup_kmd.sys from the next start of Windows on, or ends that.

.DESCRIPTION
On: the standard checks (0x209BB: special pool, IRQL, pool tracking, I/O, deadlocks, DMA, security, miscellaneous, DDI
compliance) and randomized low resources simulation (0x4), which fails a part of the driver's allocations some minutes
after the start. Driver Verifier's settings come into force when Windows restarts, and a rule that is broken stops
Windows with bug check 0xC4, so keep a way to boot without it: safe mode, and then "verifier /reset".

Off (-Off): "verifier /reset", which ends the checks of every driver; it is refused while others are checked too,
unless -Force says so.

Never run on Windows by the project: written from Microsoft's page "Driver Verifier Command Syntax".

.PARAMETER Off
Ends the checks.

.PARAMETER NoFaults
Without low resources simulation: for a run that must finish, such as a migration.

.PARAMETER Additional
Also the additional DDI compliance rules (0x80000).

.PARAMETER Force
Takes other drivers out of Driver Verifier too, or replaces them.

.PARAMETER Restart
Restarts Windows at once.

.EXAMPLE
cargo make verifier

.EXAMPLE
cargo make verifier-off

.EXAMPLE
.\verifier.ps1 -NoFaults -Restart
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [switch] $Off,
    [switch] $NoFaults,
    [switch] $Additional,
    [switch] $Force,
    [switch] $Restart
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
trap { Write-Problem -Problem $_ -Script 'verifier'; exit 1 }
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Preconditions.psm1') -Force
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Inf.psm1') -Force

$driver = 'gpup_kmd.sys'
$standardChecks = 0x209BB
$lowResources = 0x4
$additionalCompliance = 0x80000
# verifier.exe's exit codes: 0 done, 1 an error, 2 done when Windows restarts.
$done = 0, 2

function Get-VerifiedDriver {
    # The headings are translated, the drivers' names are not.
    $lines = & "$env:SystemRoot\System32\verifier.exe" /querysettings
    [regex]::Matches(($lines -join "`n"), '(?im)^\s*([\w.-]+\.sys)\s*$') | ForEach-Object { $_.Groups[1].Value.ToLowerInvariant() }
}

if ($Off -and ($NoFaults -or $Additional)) { throw '-Off ends all checks: leave -NoFaults and -Additional out' }
Assert-Administrator
Assert-WindowsBuild
$others = @(Get-VerifiedDriver | Where-Object { $_ -ne $driver })
if ($others.Count -gt 0 -and -not $Force) {
    throw "Driver Verifier also checks $($others -join ', '): add -Force to take them out of it"
}

if ($Off) {
    if (-not $PSCmdlet.ShouldProcess('Driver Verifier', 'reset')) { exit 0 }
    Invoke-SystemProgram -Name verifier.exe -Arguments '/reset' -Allowed $done | Out-Null
    $next = 'no driver is checked after the next start of Windows'
} else {
    Assert-TestSigning
    Assert-InstalledCertificate -Service (Get-InfService -Path (Get-InstalledInf))
    $flags = $standardChecks
    if (-not $NoFaults) { $flags = $flags -bor $lowResources }
    if ($Additional) { $flags = $flags -bor $additionalCompliance }
    $text = '0x{0:X}' -f $flags
    if (-not $PSCmdlet.ShouldProcess($driver, "Driver Verifier with flags $text")) { exit 0 }
    Invoke-SystemProgram -Name verifier.exe -Arguments '/flags', $text, '/driver', $driver -Allowed $done | Out-Null
    if (@(Get-VerifiedDriver) -notcontains $driver) {
        throw "verifier.exe took the flags $text but does not list $driver`: look at `"verifier /querysettings`""
    }
    $next = "$driver is checked with flags $text after the next start of Windows; `"verifier /query`" then shows its counters"
}
Write-Output -InputObject $next
if ($Restart) {
    Restart-Computer
} else {
    Write-Output -InputObject 'restart Windows now: until then nothing has changed'
}
