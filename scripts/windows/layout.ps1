#Requires -Version 5.1
<#
.SYNOPSIS
Holds the facts of crates/wddm against the WDK's own headers: every size, offset, enumerator, number, bit and GUID.

.DESCRIPTION
The example layout_cpp of the crate wddm prints a C++ program; cl compiles it with d3dkmddi.h and dispmprt.h of the
WDK, which checks sizes, offsets, enumerators and numbers, and the program then checks bit-fields and GUIDs. The WDK
is the one that WDKContentRoot and Version_Number name, as in an eWDK or with NuGet's packages, else the newest one
that is installed.

Never run on Windows by the project: the generator is tested on Linux against a small header written by hand.

.PARAMETER Confidence
Which facts: header (the default), docs, inferred. A name that the headers do not have is an error, so inferred ones
may fail for that alone.

.EXAMPLE
cargo make layout

.EXAMPLE
.\layout.ps1 -Confidence header,docs
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string[]] $Confidence = @('header')
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
trap { Write-Problem -Problem $_ -Script 'layout'; exit 1 }
Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'Preconditions.psm1') -Force

function Get-IncludeFolder {
    if ($env:WDKContentRoot -and $env:Version_Number) {
        $include = Join-Path -Path $env:WDKContentRoot -ChildPath "Include\$($env:Version_Number)"
        if (Test-Path -LiteralPath "$include\km\d3dkmddi.h") { return $include }
        throw "$include\km\d3dkmddi.h is missing: set WDKContentRoot and Version_Number to a whole WDK, or unset both"
    }
    $roots = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows Kits\Installed Roots' -ErrorAction SilentlyContinue
    $found = @()
    if ($null -ne $roots -and $roots.PSObject.Properties['KitsRoot10']) {
        $found = @(Get-ChildItem -Path "$($roots.KitsRoot10)Include\10.*" -Directory |
            Where-Object { Test-Path -LiteralPath "$($_.FullName)\km\d3dkmddi.h" } |
            Sort-Object -Property { [version] $_.Name })
    }
    if ($found.Count -eq 0) { throw 'no WDK with d3dkmddi.h: install the WDK 10.0.26100 or later, or set WDKContentRoot and Version_Number' }
    $found[-1].FullName
}

function Get-CompilerSetup {
    $vswhere = "${env:ProgramFiles(x86)}\Microsoft Visual Studio\Installer\vswhere.exe"
    if (-not (Test-Path -LiteralPath $vswhere)) { throw 'vswhere.exe is missing: install Visual Studio or its Build Tools with the C++ workload' }
    $folder = & $vswhere -latest -products '*' -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath
    if (-not $folder) { throw 'no C++ compiler: add "MSVC x64/x86 build tools" in the Visual Studio Installer' }
    Join-Path -Path $folder -ChildPath 'VC\Auxiliary\Build\vcvars64.bat'
}

# A command file of its own for each step: no quotes have to survive two command lines.
function Invoke-Step {
    param([string] $What, [string[]] $Lines)
    $file = Join-Path -Path $folder -ChildPath 'step.cmd'
    Set-Content -LiteralPath $file -Encoding ascii -Value (@('@echo off') + $Lines)
    & "$env:SystemRoot\System32\cmd.exe" /d /c $file
    if ($LASTEXITCODE -ne 0) { throw "$What ended with $LASTEXITCODE`: see the lines above" }
}

$include = Get-IncludeFolder
$setup = Get-CompilerSetup
$root = (Resolve-Path -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath '..\..')).ProviderPath
$folder = Join-Path -Path $root -ChildPath 'target\layout'
if (-not $PSCmdlet.ShouldProcess($include, "compare with the $($Confidence -join ', ') facts")) { exit 0 }
New-Item -ItemType Directory -Force -Path $folder | Out-Null

Push-Location -LiteralPath $root
try {
    $words = ($Confidence -split ',' | ForEach-Object { $_.Trim() }) -join ' '
    Invoke-Step -What 'the generator' -Lines "cargo run --quiet --locked -p wddm --example layout_cpp -- $words > `"$folder\layout.cpp`""
    # um comes last: the kernel's headers and the shared ones go before the user-mode ones of the same name.
    $folders = "/I`"$include\km`" /I`"$include\shared`" /I`"$include\um`""
    $defines = '/D_AMD64_ /D_WIN32_WINNT=0x0A00 /DWINVER=0x0A00 /DNTDDI_VERSION=0x0A000010'
    $options = "/nologo /std:c++17 /W1 /Gy $defines $folders"
    $prepare = "call `"$setup`" >nul"
    Invoke-Step -What 'cl (sizes, offsets, enumerators, numbers)' -Lines @(
        $prepare, "cl $options /c /Fo`"$folder\layout.obj`" `"$folder\layout.cpp`"")
    Invoke-Step -What 'link' -Lines @(
        $prepare, "link /nologo /opt:ref /out:`"$folder\layout.exe`" `"$folder\layout.obj`"")
    Invoke-Step -What 'the program (bit-fields, GUIDs)' -Lines "`"$folder\layout.exe`""
} finally {
    Pop-Location
}
Write-Output -InputObject "the facts ($($Confidence -join ', ')) agree with the headers in $include"
