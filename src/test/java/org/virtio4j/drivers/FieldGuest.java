// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.device.transport.QueueArea;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.transport.Port;
import org.virtio4j.transport.Register;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.pci.CommonConfig;

/** RAM below 4 GiB, one device, and its registers, by name or where drivers hard-code them. */
final class FieldGuest implements AutoCloseable {

    static final long PAGE = GuestMemory.PAGE_SIZE;

    private static final long RAM = 0x4000_0000L;
    private static final long RAM_SIZE = 0x40_0000;
    private static final long BUFFERS = RAM + RAM_SIZE / 2;
    private static final long ISR = 0x1000;

    private final GuestMemory memory = GuestMemory.anonymous(RAM, RAM_SIZE);
    private final boolean pci;
    private final RegisterHandler registers;
    final GuestBytes ram = new GuestBytes(memory, null);
    final Port port;

    FieldGuest(TransportKind kind, VirtioDevice device) {
        pci = kind.isPci();
        port = kind.connect(device, DmaSpace.identity(memory), () -> { });
        String name = pci ? "BAR 4" : "window";
        registers = port.doors().stream().filter(door -> door.name().equals(name)).findFirst().orElseThrow().handler();
    }

    boolean isPci() {
        return pci;
    }

    /** A page for buffers. */
    long buffer(int index) {
        return BUFFERS + index * PAGE;
    }

    /** An empty ring whose parts follow each other, the used ring at some alignment. */
    DriverRing ring(int size, long usedAlignment) {
        ram.fill(RAM, 8 * PAGE, 0);
        long available = RAM + size * SplitDescriptor.SIZE;
        long used = available + AvailableRing.size(size) + usedAlignment - 1;
        return new DriverRing(ram, size, RAM, available, used - used % usedAlignment);
    }

    int sizeMax() {
        return port.driver().queueSizeMax(0);
    }

    /** Writes an address, the low half first. */
    void place(QueueArea area, long address) {
        port.writeAddress(0, area, address);
    }

    /** The same in one access, where the registers are one structure in memory. */
    void placeWhole(QueueArea area, long address) {
        if (pci) {
            port.write(Register.QUEUE_SELECT, 0);
            registers.write(register(area), Long.BYTES, address);
        } else {
            place(area, address);
        }
    }

    /** Which events there are; over PCI it clears them. */
    int isr() {
        return (int) (pci ? registers.read(ISR, Byte.BYTES)
                : registers.read(MmioRegister.INTERRUPT_STATUS, Integer.BYTES));
    }

    /** Acknowledges events; over PCI a write to a register that can be read only. */
    void acknowledge(int events) {
        if (pci) {
            registers.write(ISR, Byte.BYTES, events);
        } else {
            registers.write(MmioRegister.INTERRUPT_ACK, Integer.BYTES, events);
        }
    }

    /** Maps the queue to a message; what reads back then. */
    int vector(int vector) {
        if (!pci) {
            return vector;
        }
        port.write(Register.QUEUE_SELECT, 0);
        registers.write(CommonConfig.QUEUE_MSIX_VECTOR, Short.BYTES, vector);
        return (int) registers.read(CommonConfig.QUEUE_MSIX_VECTOR, Short.BYTES);
    }

    /** Where to notify the queue, in steps of the multiplier; as each of these drivers asks once or every time. */
    int notifyOffset() {
        return pci ? (int) registers.read(CommonConfig.QUEUE_NOTIFY_OFF, Short.BYTES) : 0;
    }

    private static long register(QueueArea area) {
        return switch (area) {
            case DESCRIPTOR -> CommonConfig.QUEUE_DESC;
            case DRIVER -> CommonConfig.QUEUE_DRIVER;
            case DEVICE -> CommonConfig.QUEUE_DEVICE;
        };
    }

    @Override
    public void close() {
        port.reset(ResetKind.SYSTEM);
        memory.close();
    }
}
