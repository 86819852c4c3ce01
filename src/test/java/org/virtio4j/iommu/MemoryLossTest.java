// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.device.ResetKind;
import org.virtio4j.vmm.Access;

/** Guest memory that is a file, cut short between two requests of an IOMMU. */
class MemoryLossTest extends IommuTests {

    private static final int NEEDS_RESET = 0x40;

    @TempDir
    @Nullable Path folder;

    @Test
    @DisplayName("Rings that are cut off: the IOMMU needs a reset, its reason names memory, nobody gets an exception")
    void shouldNeedAResetWhenRequestsAreCutOff() {
        IommuMachine machine = machine();
        length(0);
        machine.transport().notifyQueue(IommuMachine.REQUESTS);
        assertLost(machine, 0);
        assertWorksAfterAReset(machine);
    }

    @Test
    @DisplayName("Event buffers that are cut off: the device whose access faulted gets no exception")
    void shouldNeedAResetWhenEventBuffersAreCutOff() {
        IommuMachine machine = machine();
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.dma(DISK);
        length(0);
        machine.touch(DISK, 0x5000, Access.READ);
        assertLost(machine, 1);
        assertWorksAfterAReset(machine);
    }

    private void assertLost(IommuMachine machine, int queue) {
        assertNotEquals(0, machine.transport().status() & NEEDS_RESET);
        String reason = machine.needsResetReason();
        assertTrue(reason.contains("queue " + queue + ": guest memory was cut short"), reason);
    }

    private void assertWorksAfterAReset(IommuMachine machine) {
        length(IommuMachine.RAM_END);
        machine.reset(ResetKind.DEVICE);
        assertEquals(0, machine.transport().status());
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, DISK, 0x1000, 0x8000);
    }

    private IommuMachine machine() {
        length(IommuMachine.RAM_END);
        IommuMachine machine = keep(new IommuMachine(transport, iommu().build(), memory -> {
            try {
                memory.addFile(0, ram(), 0, IommuMachine.REGION_BORDER);
                memory.addFile(IommuMachine.REGION_BORDER, ram(), IommuMachine.REGION_BORDER,
                        IommuMachine.RAM_END - IommuMachine.REGION_BORDER);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        })).start();
        machine.ok(Requests.attach(ONE, DISK));
        return machine;
    }

    private void length(long bytes) {
        try (RandomAccessFile file = new RandomAccessFile(ram().toFile(), "rw")) {
            file.setLength(bytes);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private Path ram() {
        return Objects.requireNonNull(folder).resolve("guest.ram");
    }
}
