// Makes a root-enumerated device: the steps that the documentation's "devcon install" takes, over the documented
// functions of SetupAPI and newdev. Compiled by install.ps1 with Add-Type, so the language is C# 5.
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Gpup
{
    public static class RootDevice
    {
        const int LINE_LEN = 256;
        const uint DICD_GENERATE_ID = 0x1;
        const uint SPDRP_HARDWAREID = 0x1;
        const uint DIF_REGISTERDEVICE = 0x19;
        const uint DIF_REMOVE = 0x5;
        const uint INSTALLFLAG_FORCE = 0x1;
        static readonly IntPtr Invalid = new IntPtr(-1);

        [StructLayout(LayoutKind.Sequential)]
        struct SP_DEVINFO_DATA
        {
            public int cbSize;
            public Guid ClassGuid;
            public uint DevInst;
            public IntPtr Reserved;
        }

        [DllImport("setupapi.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiGetINFClassW(
            string infName, out Guid classGuid, StringBuilder className, int classNameSize, IntPtr requiredSize);

        [DllImport("setupapi.dll", SetLastError = true)]
        static extern IntPtr SetupDiCreateDeviceInfoList(ref Guid classGuid, IntPtr parent);

        [DllImport("setupapi.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiCreateDeviceInfoW(
            IntPtr set, string name, ref Guid classGuid, string description, IntPtr parent, uint flags,
            ref SP_DEVINFO_DATA data);

        [DllImport("setupapi.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiSetDeviceRegistryPropertyW(
            IntPtr set, ref SP_DEVINFO_DATA data, uint property, byte[] buffer, int size);

        [DllImport("setupapi.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiCallClassInstaller(uint function, IntPtr set, ref SP_DEVINFO_DATA data);

        [DllImport("setupapi.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiGetDeviceInstanceIdW(
            IntPtr set, ref SP_DEVINFO_DATA data, StringBuilder id, int size, IntPtr requiredSize);

        [DllImport("setupapi.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool SetupDiDestroyDeviceInfoList(IntPtr set);

        [DllImport("newdev.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        static extern bool UpdateDriverForPlugAndPlayDevicesW(
            IntPtr parent, string hardwareId, string infPath, uint flags,
            [MarshalAs(UnmanagedType.Bool)] out bool restart);

        static void Check(bool succeeded, string function)
        {
            if (succeeded) { return; }
            int code = Marshal.GetLastWin32Error();
            string text = new Win32Exception(code).Message;
            throw new Win32Exception(code, string.Format("{0} failed with 0x{1:X8}: {2}", function, code, text));
        }

        /// <summary>
        /// Makes one device with this hardware id and installs the INF's driver on it.
        /// </summary>
        /// <param name="infPath">Full path of the INF.</param>
        /// <param name="hardwareId">A hardware id that the INF lists, such as Root\GPUP_KMD.</param>
        /// <param name="restart">Whether Windows must be restarted before the device works.</param>
        /// <returns>The device's instance id. A device whose driver cannot be installed is removed again.</returns>
        public static string Create(string infPath, string hardwareId, out bool restart)
        {
            Guid classGuid;
            var className = new StringBuilder(LINE_LEN);
            Check(
                SetupDiGetINFClassW(infPath, out classGuid, className, className.Capacity, IntPtr.Zero),
                "SetupDiGetINFClass");
            IntPtr set = SetupDiCreateDeviceInfoList(ref classGuid, IntPtr.Zero);
            Check(set != Invalid, "SetupDiCreateDeviceInfoList");
            try
            {
                return Create(set, ref classGuid, infPath, hardwareId, out restart);
            }
            finally
            {
                SetupDiDestroyDeviceInfoList(set);
            }
        }

        static string Create(
            IntPtr set, ref Guid classGuid, string infPath, string hardwareId, out bool restart)
        {
            // The device's name below ROOT: Root\GPUP_KMD becomes ROOT\GPUP_KMD\0000.
            string name = hardwareId.Substring(hardwareId.LastIndexOf('\\') + 1);
            var data = new SP_DEVINFO_DATA();
            data.cbSize = Marshal.SizeOf(typeof(SP_DEVINFO_DATA));
            Check(
                SetupDiCreateDeviceInfoW(set, name, ref classGuid, null, IntPtr.Zero, DICD_GENERATE_ID, ref data),
                "SetupDiCreateDeviceInfo");
            // REG_MULTI_SZ: the string's own end and the list's.
            byte[] ids = Encoding.Unicode.GetBytes(hardwareId + "\0\0");
            Check(
                SetupDiSetDeviceRegistryPropertyW(set, ref data, SPDRP_HARDWAREID, ids, ids.Length),
                "SetupDiSetDeviceRegistryProperty");
            Check(SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, ref data), "DIF_REGISTERDEVICE");
            try
            {
                Check(
                    UpdateDriverForPlugAndPlayDevicesW(
                        IntPtr.Zero, hardwareId, infPath, INSTALLFLAG_FORCE, out restart),
                    "UpdateDriverForPlugAndPlayDevices");
            }
            catch (Win32Exception)
            {
                SetupDiCallClassInstaller(DIF_REMOVE, set, ref data);
                throw;
            }
            var id = new StringBuilder(LINE_LEN);
            Check(SetupDiGetDeviceInstanceIdW(set, ref data, id, id.Capacity, IntPtr.Zero), "SetupDiGetDeviceInstanceId");
            return id.ToString();
        }
    }
}
