// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import org.virtio4j.os.Errno;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.wire.pci.PciHeader;
import org.virtio4j.wire.vfiouser.DeviceInfo;
import org.virtio4j.wire.vfiouser.IrqInfo;
import org.virtio4j.wire.vfiouser.PciIrq;
import org.virtio4j.wire.vfiouser.PciRegion;
import org.virtio4j.wire.vfiouser.RegionInfo;

/** What a client asks before it uses the function: its regions and its interrupts. */
final class DeviceQueries {

    /** Pin, MSI and MSI-X, the fewest that clients accept. VFIO's kinds behind them, for errors, do not exist here. */
    private static final int IRQ_KINDS = PciIrq.MSIX + 1;

    private final VirtioPciFunction function;

    DeviceQueries(VirtioPciFunction function) {
        this.function = function;
    }

    int device(RequestMessage request, ReplyMessage reply) {
        if (!hasRoom(request, DeviceInfo.ARGSZ, DeviceInfo.SIZE)) {
            return Errno.EINVAL;
        }
        reply.body(DeviceInfo.SIZE);
        reply.putI32(DeviceInfo.ARGSZ, (int) DeviceInfo.SIZE);
        reply.putI32(DeviceInfo.FLAGS, DeviceInfo.PCI | DeviceInfo.RESET);
        reply.putI32(DeviceInfo.REGIONS, PciRegion.COUNT);
        reply.putI32(DeviceInfo.IRQS, IRQ_KINDS);
        return 0;
    }

    /** A region that the function does not have is one of size 0, and no error. */
    int region(RequestMessage request, ReplyMessage reply) {
        if (!hasRoom(request, RegionInfo.ARGSZ, RegionInfo.SIZE)
                || request.u32(RegionInfo.INDEX) >= PciRegion.COUNT) {
            return Errno.EINVAL;
        }
        int index = request.i32(RegionInfo.INDEX);
        long size = regionSize(index);
        reply.body(RegionInfo.SIZE);
        reply.putI32(RegionInfo.ARGSZ, (int) RegionInfo.SIZE);
        reply.putI32(RegionInfo.FLAGS, size == 0 ? 0 : RegionInfo.READ | RegionInfo.WRITE);
        reply.putI32(RegionInfo.INDEX, index);
        reply.putI64(RegionInfo.LENGTH, size);
        return 0;
    }

    /**
     * QEMU asks for the first kind that is not there, too, and takes an error for "there is none"; a count of 0 there
     * would make it warn.
     */
    int irq(RequestMessage request, ReplyMessage reply) {
        if (!hasRoom(request, IrqInfo.ARGSZ, IrqInfo.SIZE)) {
            return Errno.EINVAL;
        }
        if (request.u32(IrqInfo.INDEX) >= IRQ_KINDS) {
            return reply.refuse(Errno.EINVAL, "the device has no interrupts of this kind");
        }
        int index = request.i32(IrqInfo.INDEX);
        reply.body(IrqInfo.SIZE);
        reply.putI32(IrqInfo.ARGSZ, (int) IrqInfo.SIZE);
        reply.putI32(IrqInfo.FLAGS, irqFlags(index));
        reply.putI32(IrqInfo.INDEX, index);
        reply.putI32(IrqInfo.COUNT, irqCount(index));
        return 0;
    }

    /** Bytes of a region; 0 for one that is not there. */
    long regionSize(int index) {
        if (index == PciRegion.CONFIG) {
            return PciHeader.EXTENDED_SPACE_SIZE;
        }
        return index >= 0 && index <= PciRegion.LAST_BAR ? function.barSize(index) : 0;
    }

    private static int irqFlags(int index) {
        return switch (index) {
            case PciIrq.INTX -> IrqInfo.EVENTFD | IrqInfo.MASKABLE | IrqInfo.AUTOMASKED;
            case PciIrq.MSIX -> IrqInfo.EVENTFD | IrqInfo.MASKABLE;
            default -> IrqInfo.EVENTFD;
        };
    }

    /** How many interrupts of a kind there are. */
    int irqCount(int index) {
        return switch (index) {
            case PciIrq.INTX -> 1;
            case PciIrq.MSIX -> function.vectorCount();
            default -> 0;
        };
    }

    private static boolean hasRoom(RequestMessage request, long argsz, long size) {
        return request.bodySize() >= size && request.u32(argsz) >= size;
    }
}
