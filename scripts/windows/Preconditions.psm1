<#
What the scripts beside this file need of the machine.

Each function returns when its condition holds and otherwise throws one sentence: what is missing and what to do.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The package's files are called so; what else the driver is called stands in its INF.
$script:PackageName = 'gpup_kmd'
$script:LeastBuild = 26100

<#
.SYNOPSIS
Prints the error on one line of standard error, after the name of the script that failed.
#>
function Write-Problem {
    param([Parameter(Mandatory)] [System.Management.Automation.ErrorRecord] $Problem, [string] $Script)
    [Console]::Error.WriteLine("${Script}: $($Problem.Exception.Message)")
    Write-Verbose -Message $Problem.ScriptStackTrace
}

<#
.SYNOPSIS
Needs an elevated PowerShell.
#>
function Assert-Administrator {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList $identity
    if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'not an administrator: open PowerShell with "Run as administrator" and run this again'
    }
}

<#
.SYNOPSIS
Needs x64 Windows with WDDM 3.2, Windows 11 24H2 or Windows Server 2025, and a 64-bit PowerShell.
#>
function Assert-WindowsBuild {
    $version = [Environment]::OSVersion.Version
    if ($version.Build -lt $script:LeastBuild) {
        throw "this is Windows build $($version.Build): use Windows 11 24H2 or Windows Server 2025, build $script:LeastBuild or later (WDDM 3.2)"
    }
    if ($env:PROCESSOR_ARCHITECTURE -ne 'AMD64') {
        throw "this PowerShell runs as $($env:PROCESSOR_ARCHITECTURE): use the 64-bit PowerShell of an x64 machine"
    }
}

function Test-SecureBoot {
    # Firmware without Secure Boot makes the cmdlet throw.
    try { [bool] (Confirm-SecureBootUEFI) } catch { $false }
}

<#
.SYNOPSIS
Needs test signing in the boot that runs now.

.DESCRIPTION
The kernel's own start options say what is in force; bcdedit says what the next boot would have.
#>
function Assert-TestSigning {
    $control = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control' -Name SystemStartOptions
    if ($control.SystemStartOptions -match '(^|\s)TESTSIGNING(\s|$)') { return }
    if (Test-SecureBoot) {
        throw 'test signing is off and Secure Boot is on: switch Secure Boot off in the firmware, run "bcdedit /set testsigning on" and restart'
    }
    # Element names are not translated, values are.
    $next = & "$env:SystemRoot\System32\bcdedit.exe" /enum '{current}'
    if ($LASTEXITCODE -ne 0) { throw 'bcdedit cannot read the boot entry: run this as an administrator' }
    if ($next -match '^testsigning\s') {
        throw 'test signing is set but not in force: run "bcdedit /set testsigning on" once more and restart'
    }
    throw 'test signing is off: run "bcdedit /set testsigning on" and restart'
}

<#
.SYNOPSIS
Needs a complete package. Returns its files.
#>
function Get-DriverPackage {
    param([Parameter(Mandatory)] [string] $Path)
    $files = @{}
    foreach ($extension in 'sys', 'inf', 'cat', 'cer') {
        $file = Join-Path -Path $Path -ChildPath "$script:PackageName.$extension"
        if (-not (Test-Path -LiteralPath $file -PathType Leaf)) {
            throw "$file is missing: build the package with `"cargo make`" here or `"cargo xtask sys`" on Linux and copy target\package"
        }
        $files[$extension] = (Resolve-Path -LiteralPath $file).ProviderPath
    }
    $files
}

<#
.SYNOPSIS
Needs a driver and a catalog that the certificate beside them signed. Returns the certificate.
#>
function Get-PackageCertificate {
    param([Parameter(Mandatory)] [hashtable] $Package)
    $certificate = New-Object -TypeName Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $Package.cer
    if ($certificate.NotAfter -lt (Get-Date)) {
        throw "the certificate in $($Package.cer) ended on $($certificate.NotAfter.ToString('u')): build the package again"
    }
    foreach ($file in $Package.sys, $Package.cat) {
        $signature = Get-AuthenticodeSignature -LiteralPath $file
        if ($signature.Status -eq 'HashMismatch') {
            throw "$file was changed after it was signed: build the package again"
        }
        $signer = $signature.SignerCertificate
        if ($null -eq $signer -or $signer.Thumbprint -ne $certificate.Thumbprint) {
            throw "$file is not signed by the certificate in $($Package.cer): build the package again and copy all of it"
        }
    }
    $certificate
}

<#
.SYNOPSIS
The stores where a test certificate must lie: trusted as a root, and as a publisher.
#>
function Get-CertificateStore {
    'Cert:\LocalMachine\Root', 'Cert:\LocalMachine\TrustedPublisher'
}

<#
.SYNOPSIS
Needs the certificate in both stores.
#>
function Assert-Certificate {
    param([Parameter(Mandatory)] [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate)
    foreach ($store in Get-CertificateStore) {
        if (-not (Test-Path -Path "$store\$($Certificate.Thumbprint)")) {
            throw "the certificate $($Certificate.Thumbprint) is not in ${store}: run install.ps1"
        }
    }
}

<#
.SYNOPSIS
The versions of the package in the driver store, the newest last.
#>
function Get-InstalledPackage {
    Get-WindowsDriver -Online | Where-Object {
        (Split-Path -Path $_.OriginalFileName -Leaf) -eq "$script:PackageName.inf"
    } | Sort-Object -Property { [version] $_.Version }
}

<#
.SYNOPSIS
Needs the package in the driver store. Returns the path of its newest INF.
#>
function Get-InstalledInf {
    $packages = @(Get-InstalledPackage)
    if ($packages.Count -eq 0) { throw "$script:PackageName is not in the driver store: run install.ps1" }
    $packages[-1].OriginalFileName
}

<#
.SYNOPSIS
Needs the driver that is installed as this service, and the certificate that signed it in both stores.
#>
function Assert-InstalledCertificate {
    param([Parameter(Mandatory)] [string] $Service)
    $key = Get-ItemProperty -Path "HKLM:\SYSTEM\CurrentControlSet\Services\$Service" -ErrorAction SilentlyContinue
    if ($null -eq $key) { throw "$Service is not installed: run install.ps1" }
    # The kernel's way to write the path.
    $image = $key.ImagePath -replace '^\\SystemRoot', $env:SystemRoot -replace '^\\\?\?\\', ''
    if (-not (Test-Path -LiteralPath $image)) { throw "$image is missing: run uninstall.ps1, then install.ps1" }
    $signer = (Get-AuthenticodeSignature -LiteralPath $image).SignerCertificate
    if ($null -eq $signer) { throw "$image is not signed: build the package again and run install.ps1" }
    Assert-Certificate -Certificate $signer
}

<#
.SYNOPSIS
The adapters of a host with one of these hardware ids, present or not.
#>
function Get-GpupDevice {
    param(
        [Parameter(Mandatory)] [string[]] $HardwareId,
        [string] $ComputerName = $env:COMPUTERNAME,
        [switch] $PresentOnly
    )
    $there = @{}
    if ($ComputerName -ne $env:COMPUTERNAME) { $there = @{ CimSession = $ComputerName } }
    Get-PnpDevice -PresentOnly:$PresentOnly @there | Where-Object {
        @(@($_.HardwareID) | Where-Object { $HardwareId -contains $_ }).Count -gt 0
    }
}

<#
.SYNOPSIS
Needs a started adapter with one of these hardware ids. Returns it.
#>
function Get-StartedDevice {
    param([Parameter(Mandatory)] [string[]] $HardwareId)
    $devices = @(Get-GpupDevice -HardwareId $HardwareId -PresentOnly)
    if ($devices.Count -eq 0) { throw "no device $($HardwareId -join ' or '): run install.ps1" }
    $started = @($devices | Where-Object -Property Status -EQ -Value 'OK')
    if ($started.Count -eq 0) {
        throw "$($devices[0].InstanceId) has not started ($($devices[0].Problem)): see the device's Events tab in Device Manager"
    }
    $started[0]
}

<#
.SYNOPSIS
The registry key that holds an adapter's settings.
#>
function Get-SoftwareKey {
    param([Parameter(Mandatory)] [string] $InstanceId)
    $driver = (Get-PnpDeviceProperty -InstanceId $InstanceId -KeyName DEVPKEY_Device_Driver).Data
    if (-not $driver) { throw "$InstanceId has no driver yet: see pnputil /enum-devices /instanceid `"$InstanceId`" /drivers" }
    "HKLM:\SYSTEM\CurrentControlSet\Control\Class\$driver"
}

<#
.SYNOPSIS
Needs the Hyper-V role with its service running, and its PowerShell module.
#>
function Assert-HyperV {
    $advice = 'run "Install-WindowsFeature Hyper-V -IncludeManagementTools -Restart" on Windows Server'
    $service = Get-Service -Name vmms -ErrorAction SilentlyContinue
    if ($null -eq $service) { throw "the Hyper-V role is missing: $advice" }
    if ($service.Status -ne 'Running') { throw 'the Hyper-V service is stopped: run "Start-Service vmms"' }
    if ($null -eq (Get-Module -ListAvailable -Name Hyper-V)) {
        throw "Hyper-V's PowerShell module is missing: run `"Install-WindowsFeature Hyper-V-PowerShell`""
    }
    if ($null -eq (Get-Command -Module Hyper-V -Name Get-VMHostPartitionableGpu -ErrorAction SilentlyContinue)) {
        throw 'this Hyper-V knows no GPU partitioning: use Windows Server 2025'
    }
}

<#
.SYNOPSIS
Runs a program of System32 and throws unless its exit code is one of those allowed. Returns the code.
#>
function Invoke-SystemProgram {
    param(
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [string[]] $Arguments,
        [int[]] $Allowed = @(0)
    )
    Write-Verbose -Message "$Name $($Arguments -join ' ')"
    $output = & "$env:SystemRoot\System32\$Name" @Arguments
    $code = $LASTEXITCODE
    $output | ForEach-Object { Write-Verbose -Message $_ }
    if ($Allowed -notcontains $code) {
        throw "$Name $($Arguments -join ' ') ended with $code`: $(($output | Out-String).Trim() -replace '\s*\r?\n\s*', ' | ')"
    }
    $code
}

Export-ModuleMember -Function @(
    'Write-Problem', 'Assert-Administrator', 'Assert-WindowsBuild', 'Assert-TestSigning',
    'Get-DriverPackage', 'Get-PackageCertificate', 'Get-CertificateStore', 'Assert-Certificate', 'Assert-InstalledCertificate',
    'Get-InstalledPackage', 'Get-InstalledInf', 'Get-GpupDevice', 'Get-StartedDevice', 'Get-SoftwareKey',
    'Assert-HyperV', 'Invoke-SystemProgram'
)
