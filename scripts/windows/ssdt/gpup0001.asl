/*
 * Gives the simulated GPU an interrupt: the ACPI device GPUP0001, which the INF lists as ACPI\GPUP0001.
 *
 * NEVER TRIED on a machine; it is only compiled. The engines are software and never raise the line. What the device
 * needs is that an interrupt is connected at all, so that DxgkCbSynchronizeExecution runs at device level.
 *
 * The line below must be one that nothing else on the machine uses: see Device Manager, View, Resources by type,
 * Interrupt request (IRQ). docs/windows.md says how to load the table, and what to have at hand before.
 */
DefinitionBlock ("gpup0001.aml", "SSDT", 2, "GPUP", "GPUP0001", 0x00000001)
{
    Scope (\_SB)
    {
        Device (GPUP)
        {
            Name (_HID, "GPUP0001")
            Name (_UID, Zero)
            Name (_STR, Unicode ("gpup_kmd simulated GPU"))

            Method (_STA, 0, NotSerialized)
            {
                Return (0x0F) // present, enabled, shown, working
            }

            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 5 }
            })
        }
    }
}
