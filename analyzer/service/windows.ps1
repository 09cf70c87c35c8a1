<#
mtlscope as a task of Windows' Task Scheduler: it starts with the machine, without anybody logged on, and again if it ends.
Untried on Windows so far: please report what you see.

    mtlscope service windows > mtlscope-task.ps1
    powershell -ExecutionPolicy Bypass -File mtlscope-task.ps1 -Interface "\Device\NPF_{...}"     (mtlscope live -D lists them)
    powershell -ExecutionPolicy Bypass -File mtlscope-task.ps1 -Remove

Needed, as docs/service.md says: Npcap, Wireshark's dumpcap in the system's PATH, and mtlscope where SYSTEM can read it.
Run it as administrator.
#>
[CmdletBinding()]
param(
    [string] $Interface,
    [string] $Program = "C:\Program Files\mtlscope\Scripts\mtlscope.exe",
    [string] $Folder = "$env:ProgramData\mtlscope",
    [string] $Options = "",
    [string] $Name = "mtlscope",
    [switch] $Remove
)
$ErrorActionPreference = "Stop"

if ($Remove) {
    Stop-ScheduledTask -TaskName $Name
    Unregister-ScheduledTask -TaskName $Name -Confirm:$false
    Write-Host "removed the task $Name; its files stay in $Folder"
    exit 0
}
if (-not $Interface) { throw "which interface? mtlscope live -D lists them; then: -Interface NAME" }
if (-not (Test-Path -LiteralPath $Program)) { throw "there is no $Program; say where mtlscope.exe is: -Program PATH" }

New-Item -ItemType Directory -Force -Path $Folder | Out-Null
# SYSTEM and administrators alone: the records say who speaks with whom
icacls $Folder /inheritance:r /grant "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" | Out-Null

$words = "live -i `"$Interface`" -T jsonl -o `"$Folder\mtlscope.jsonl`" --rotate 100MB --rotate 1d --keep 30 --fail-on never"
$words = "$words --no-config --heartbeat `"$Folder\alive`" $Options"
$command = [Security.SecurityElement]::Escape($Program)
$arguments = [Security.SecurityElement]::Escape($words)

$task = @"
<?xml version="1.0"?>
<Task version="1.3" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Says why mutual TLS fails: mtlscope live</Description>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
      <Delay>PT30S</Delay>
    </BootTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>999</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>$command</Command>
      <Arguments>$arguments</Arguments>
      <WorkingDirectory>$([Security.SecurityElement]::Escape($Folder))</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"@

Register-ScheduledTask -TaskName $Name -Xml $task -Force | Out-Null
Start-ScheduledTask -TaskName $Name
Write-Host "the task $Name runs; it writes $Folder\mtlscope.jsonl"
