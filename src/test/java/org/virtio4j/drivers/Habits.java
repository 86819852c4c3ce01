// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

/** Whose habits a driver has. */
enum Habits {

    U_BOOT, EDK2, SEABIOS, IPXE, RCORE, FREEBSD, OPENBSD, NETBSD, ZEPHYR, VIOSTOR, SPDK, HAIKU, MANAGARM;

    FieldDriver drive(FieldGuest guest) {
        return switch (this) {
            case U_BOOT -> new UBootDriver(guest);
            case EDK2 -> new Edk2Driver(guest);
            case SEABIOS -> new SeaBiosDriver(guest);
            case IPXE -> new IpxeDriver(guest);
            case RCORE -> new RcoreDriver(guest);
            case FREEBSD -> new FreeBsdDriver(guest);
            case OPENBSD -> new OpenBsdDriver(guest);
            case NETBSD -> new NetBsdDriver(guest);
            case ZEPHYR -> new ZephyrDriver(guest);
            case VIOSTOR -> new ViostorDriver(guest);
            case SPDK -> new SpdkDriver(guest);
            case HAIKU -> new HaikuDriver(guest);
            case MANAGARM -> new ManagarmDriver(guest);
        };
    }
}
