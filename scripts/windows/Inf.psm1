<#
What an INF says of its driver: hardware ids, the service's name, defaults of settings. So no script repeats them.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The sections by name, and their lines without comments.
function Read-Inf {
    param([string] $Path)
    $sections = @{ '' = @() }
    $name = ''
    foreach ($line in @(Get-Content -LiteralPath $Path)) {
        # A semicolon begins a comment, but not between quotes.
        $text = [regex]::Match($line, '^(?:[^;"]|"[^"]*")*').Value.Trim()
        if ($text -match '^\[(.+)\]$') {
            $name = $Matches[1]
            if (-not $sections.ContainsKey($name)) { $sections[$name] = @() }
        } elseif ($text -ne '') {
            $sections[$name] += $text
        }
    }
    $sections
}

<#
.SYNOPSIS
The hardware ids that the INF's models have, in their order.
#>
function Get-InfHardwareId {
    param([Parameter(Mandatory)] [string] $Path)
    $inf = Read-Inf -Path $Path
    $ids = @()
    foreach ($maker in $inf['Manufacturer']) {
        $models = ($maker -split '[=,]')[1].Trim()
        $sections = @($inf.Keys | Where-Object { $_ -eq $models -or $_ -like "$models.*" })
        foreach ($model in @($sections | ForEach-Object { $inf[$_] })) {
            # DESCRIPTION = INSTALL, ID, ID ...
            $ids += @($model -split '[=,]' | Select-Object -Skip 2 | ForEach-Object { $_.Trim() })
        }
    }
    $ids = @($ids | Where-Object { $_ -ne '' } | Select-Object -Unique)
    if ($ids.Count -eq 0) { throw "$Path names no hardware id: build the package again" }
    $ids
}

<#
.SYNOPSIS
The service that the INF adds.
#>
function Get-InfService {
    param([Parameter(Mandatory)] [string] $Path)
    $inf = Read-Inf -Path $Path
    foreach ($line in @($inf.Keys | Where-Object { $_ -like '*.Services' } | ForEach-Object { $inf[$_] })) {
        if ($line -match '^AddService\s*=\s*([^\s,]+)') { return $Matches[1] }
    }
    throw "$Path adds no service: build the package again"
}

<#
.SYNOPSIS
The number that the INF gives a setting of the adapter.
#>
function Get-InfDefault {
    param(
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Name
    )
    $pattern = '^HKR\s*,\s*,\s*' + [regex]::Escape($Name) + '\s*,[^,]*,\s*(0x[0-9A-Fa-f]+|[0-9]+)$'
    $inf = Read-Inf -Path $Path
    foreach ($line in @($inf.Keys | ForEach-Object { $inf[$_] })) {
        if ($line -match $pattern) { return [uint32] $Matches[1] }
    }
    throw "$Path has no setting $Name`: build the package again"
}

Export-ModuleMember -Function @(
    'Get-InfHardwareId', 'Get-InfService', 'Get-InfDefault'
)
