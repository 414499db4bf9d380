<#
LAB ONLY. Two policy values that let Hyper-V assign a device without its own requester id and without ACS.

On Windows Server the default policy wants both from a GPU whose partitions a VM gets; the simulated device reports
neither. Without them nothing keeps one VM's device from reaching another's memory, so a host that has these values
must run no workload that matters. Source: "DXGKARG_GETVIRTUALGPUPROFILE structure (dispmprt.h)".

The VM gets a partition on the host that it leaves and on the one that it goes to, so both need them. What was there
before is kept beside, in a key of its own, and comes back when the values are taken away.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:PolicyKey = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\HyperV'
$script:SavedKey = 'HKLM:\SOFTWARE\gpup_kmd lab policy'
$script:Names = 'RequireSecureDeviceAssignment', 'RequireSupportedDeviceAssignment'

# These three run on the host that they are for, which has none of this file: they take all they need.
$script:Read = {
    param([string] $Key, [string] $Saved, [string[]] $Names)
    $ErrorActionPreference = 'Stop'
    if (-not (Test-Path -LiteralPath $Key)) { return }
    $policy = Get-Item -LiteralPath $Key
    $Names | Where-Object { $policy.GetValue($_) -eq 0 }
}

$script:Write = {
    param([string] $Key, [string] $Saved, [string[]] $Names)
    $ErrorActionPreference = 'Stop'
    foreach ($path in $Key, $Saved) {
        if (-not (Test-Path -LiteralPath $path)) { New-Item -Path $path -Force | Out-Null }
    }
    foreach ($name in $Names) {
        $before = (Get-Item -LiteralPath $Key).GetValue($name)
        if ($before -eq 0) { continue }
        # First what to go back to: whatever fails from here on can be taken back.
        New-ItemProperty -LiteralPath $Saved -Name $name -PropertyType String -Value "$before" -Force | Out-Null
        New-ItemProperty -LiteralPath $Key -Name $name -PropertyType DWord -Value 0 -Force | Out-Null
    }
}

$script:Restore = {
    param([string] $Key, [string] $Saved, [string[]] $Names)
    $ErrorActionPreference = 'Stop'
    if (-not (Test-Path -LiteralPath $Saved)) { return }
    foreach ($name in $Names) {
        $before = (Get-Item -LiteralPath $Saved).GetValue($name)
        # Neither what was never changed, nor what somebody has changed since.
        if ($null -eq $before -or -not (Test-Path -LiteralPath $Key)) { continue }
        if ((Get-Item -LiteralPath $Key).GetValue($name) -ne 0) { continue }
        if ($before -eq '') {
            Remove-ItemProperty -LiteralPath $Key -Name $name
        } else {
            New-ItemProperty -LiteralPath $Key -Name $name -PropertyType DWord -Value ([int] $before) -Force | Out-Null
        }
    }
    Remove-Item -LiteralPath $Saved
}

function Invoke-OnHost {
    param([string] $ComputerName, [scriptblock] $ScriptBlock)
    if ($ComputerName -eq $env:COMPUTERNAME) {
        & $ScriptBlock $script:PolicyKey $script:SavedKey $script:Names
        return
    }
    $arguments = $script:PolicyKey, $script:SavedKey, $script:Names
    try {
        Invoke-Command -ComputerName $ComputerName -ScriptBlock $ScriptBlock -ArgumentList $arguments
    } catch {
        $why = $_.Exception.Message -replace '\s*\r?\n\s*', ' '
        throw "the lab policy of $ComputerName is out of reach: run `"Enable-PSRemoting`" there as an administrator ($why)"
    }
}

<#
.SYNOPSIS
The lab values that are 0 on a host.
#>
function Get-LabPolicy {
    param([string] $ComputerName = $env:COMPUTERNAME)
    Invoke-OnHost -ComputerName $ComputerName -ScriptBlock $script:Read
}

<#
.SYNOPSIS
LAB ONLY: switches both requirements off, on all of these hosts or, if one of them refuses, on none.
#>
function Set-LabPolicy {
    param([Parameter(Mandatory)] [string[]] $ComputerName)
    # A host that cannot be asked stops this before any has changed.
    foreach ($computer in $ComputerName) { Get-LabPolicy -ComputerName $computer | Out-Null }
    $begun = @()
    try {
        foreach ($computer in $ComputerName) {
            # Also the host on which it fails half way is put back.
            $begun += $computer
            Invoke-OnHost -ComputerName $computer -ScriptBlock $script:Write
        }
    } catch {
        $problem = $_
        foreach ($computer in $begun) {
            try {
                Remove-LabPolicy -ComputerName $computer
            } catch {
                Write-Warning -Message "LAB ONLY: the values may still be set on $computer`: run uninstall.ps1 there, or this with -LabPolicy Off"
            }
        }
        throw $problem
    }
}

<#
.SYNOPSIS
Puts back what Set-LabPolicy changed on each of these hosts. One that refuses does not keep the others from it.
#>
function Remove-LabPolicy {
    param([string[]] $ComputerName = @($env:COMPUTERNAME))
    $problem = $null
    foreach ($computer in $ComputerName) {
        try {
            Invoke-OnHost -ComputerName $computer -ScriptBlock $script:Restore
        } catch {
            $problem = $_
        }
    }
    if ($null -ne $problem) { throw $problem }
}

Export-ModuleMember -Function @(
    'Get-LabPolicy', 'Set-LabPolicy', 'Remove-LabPolicy'
)
