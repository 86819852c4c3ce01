// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.Parked;
import org.virtio4j.queue.DeviceQueue;

/** PCI Local Bus 3.0, section 6.2.2: what a function may do on the bus is the guest's to say. */
class CommandRegisterTest {

    private final PciGuest guest = PciGuest.sendingMessages();

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("PCI 6.2.2: without memory space the BARs answer to nobody")
    void shouldAnswerWithOnesWhenMemorySpaceIsDisabled() {
        guest.start();
        guest.command(PciSpec.BUS_MASTER);
        for (int bar : new int[] {PciGuest.MSIX_BAR, PciGuest.VIRTIO_BAR}) {
            assertEquals(0xff, guest.function.readBar(bar, 0, 1));
            assertEquals(0xffff, guest.function.readBar(bar, 0, 2));
            assertEquals(0xffff_ffffL, guest.function.readBar(bar, 0, 4));
            assertEquals(-1, guest.function.readBar(bar, 0, 8));
            assertEquals(0, guest.function.readBar(bar, 0, 3), "no bus has such a width");
        }
        guest.put(PciSpec.DEVICE_STATUS, 1, 0);
        guest.kick(0);
        guest.command(PciSpec.BUS_MASTER | PciSpec.MEMORY_SPACE);
        assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(List.of(), guest.device.kicks());
    }

    @Test
    @DisplayName("PCI 6.2.2: without bus mastering no memory is reached, and what was made available waits for a kick")
    void shouldReachNoMemoryWhenBusMasteringIsOff() {
        DriverRing ring = guest.start();
        guest.command(PciSpec.MEMORY_SPACE);
        PciGuest.offer(ring, 0);
        guest.kick(0);
        assertEquals(0, ring.usedIndex());
        assertEquals(0, guest.isr());
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        assertEquals(0, ring.usedIndex(), "without another kick: the memory may have another owner");
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(1, guest.isr());
        assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1));
        PciGuest.offer(ring, 1);
        guest.kick(0);
        assertEquals(2, ring.usedIndex());
    }

    @Test
    @DisplayName("PCI 6.2.2: nor is a vector handed over, which is a message too, before bus mastering is on again")
    void shouldHoldVectorsBackWhenBusMasteringIsOff() {
        try (PciGuest keeper = PciGuest.handingOverVectors()) {
            keeper.start();
            keeper.useMessages();
            keeper.command(PciSpec.MEMORY_SPACE);
            keeper.context().configChanged();
            keeper.context().configChanged();
            assertEquals(List.of(), keeper.vectors);
            keeper.command(PciGuest.ON);
            assertEquals(List.of(0), keeper.vectors);
            keeper.command(PciSpec.MEMORY_SPACE);
            keeper.context().configChanged();
            keeper.put(PciSpec.DEVICE_STATUS, 1, 0);
            keeper.command(PciGuest.ON);
            assertEquals(List.of(0), keeper.vectors, "withdrawn");
        }
    }

    @Test
    void shouldStartTheDeviceWithoutBusMasteringAndServeItLater() {
        guest.negotiate(0);
        guest.command(PciSpec.MEMORY_SPACE);
        DriverRing ring = guest.enable(0);
        PciGuest.offer(ring, 3);
        guest.put(PciSpec.DEVICE_STATUS, 1, PciSpec.RUNNING);
        assertEquals(PciSpec.RUNNING, guest.get(PciSpec.DEVICE_STATUS, 1));
        assertEquals(0, ring.usedIndex());
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        assertEquals(0, ring.usedIndex());
        guest.kick(0);
        assertEquals(1, ring.usedIndex());
        assertEquals(3, ring.usedId(0));
    }

    @Test
    void shouldNotLookAtQueuesWhenBusMasteringStaysAsItIs() {
        guest.start();
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER);
        guest.command(PciSpec.MEMORY_SPACE | PciSpec.BUS_MASTER | PciSpec.INTX_DISABLE);
        assertEquals(List.of(), guest.device.kicks());
    }

    @Test
    @DisplayName("PCI 6.2.2: when bus mastering is off, nothing of before is on its way to memory any more")
    void shouldWaitForTheSectionThatIsOpenWhenBusMasteringIsTakenAway() {
        guest.start();
        DeviceQueue queue = Objects.requireNonNull(guest.context().queue(0));
        AtomicBoolean off = new AtomicBoolean();
        try (Parked device = Parked.between(queue::enter, queue::leave)) {
            Thread cpu = new Thread(() -> {
                guest.command(PciSpec.MEMORY_SPACE);
                off.set(true);
            }, "CPU");
            cpu.start();
            Parked.until(() -> guest.memory.gracePeriods().stalls() != 0 || off.get());
            assertFalse(off.get(), "a section was open");
            device.letGo();
            Parked.finish(cpu);
        }
        assertTrue(off.get());
    }
}
