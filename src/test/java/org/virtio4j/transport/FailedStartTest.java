// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.virtio4j.transport.Guest.RUNNING;
import static org.virtio4j.transport.Guest.offer;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.vmm.ReaderCount;
import org.virtio4j.wire.DeviceStatus;

/** A device that cannot start, or cannot start a queue, says so and keeps nothing open. */
class FailedStartTest extends TransportTests {

    private final int idle = readers();

    FailedStartTest(TransportKind kind) {
        super(kind);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.1.2, 3.1.1: an activation that fails half way leaves nothing open, and the device needs a reset")
    void shouldLeaveNothingOpenWhenTheDeviceCannotStart(boolean error) {
        guest.negotiate();
        guest.enable(0, guest.ring(0, 8));
        guest.enable(1, guest.ring(1, 8));
        guest.dropInterrupts();
        guest.device.inActivate = () -> refuse(error);
        assertThrows(Throwable.class, () -> guest.writeStatus(RUNNING));
        assertEquals(idle, readers());
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, guest.status());
        assertEquals("could not start: " + thrown(error), guest.port.needsResetReason());
        guest.assertInterrupts(Port.CONFIG);
        guest.kick(0);
        assertEquals(idle, readers());
        guest.device.inActivate = () -> { };
        assertServesAfterReset();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("2.1.2: a queue that cannot be started while the device runs is not open; the device needs a reset")
    void shouldLeaveNothingOpenWhenAQueueCannotStart(boolean error) {
        DriverRing first = guest.run();
        guest.dropInterrupts();
        int before = readers();
        guest.device.inQueueStarted = () -> refuse(error);
        assertThrows(Throwable.class, () -> guest.enable(1, guest.ring(1, 8)));
        assertEquals(before, readers());
        assertFalse(guest.driver.queueReady(1));
        assertEquals(RUNNING | DeviceStatus.NEEDS_RESET, guest.status());
        assertEquals("queue 1: could not start: " + thrown(error), guest.port.needsResetReason());
        guest.assertInterrupts(Port.CONFIG);
        offer(first, 0);
        guest.kick(0);
        assertEquals(1, first.usedIndex(), "the other queue goes on");
        guest.device.inQueueStarted = () -> { };
        assertServesAfterReset();
    }

    @Test
    @DisplayName("3.1.1: the queues that the driver enabled are open while the device runs, and no others")
    void shouldOpenEnabledQueuesOnly() {
        guest.run();
        assertEquals(idle + 1, readers());
        guest.enable(1, guest.ring(1, 8));
        assertEquals(idle + 2, readers());
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals(idle, readers());
    }

    private void assertServesAfterReset() {
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals("", guest.port.needsResetReason());
        assertEquals(idle, readers());
        DriverRing ring = guest.run();
        DriverRing other = guest.ring(1, 8);
        guest.enable(1, other);
        offer(other, 1);
        guest.kick(1);
        assertEquals(0, ring.usedIndex());
        assertEquals(1, other.usedIndex());
        guest.writeStatus(0);
        assertEquals(0, guest.status());
        assertEquals(idle, readers());
    }

    private int readers() {
        return ReaderCount.of(guest.memory.gracePeriods());
    }

    private static void refuse(boolean error) {
        if (error) {
            throw new OutOfMemoryError("no thread");
        }
        throw new IllegalStateException("no thread");
    }

    private static String thrown(boolean error) {
        return (error ? "java.lang.OutOfMemoryError" : "java.lang.IllegalStateException") + ": no thread";
    }
}
