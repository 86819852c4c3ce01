// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/**
 * A process that touches memory which is not there with each accessor that guest memory is touched with, in a section
 * each. The error must have come out when the section has ended, however the JVM executes.
 */
public final class CutAccesses {

    private static final int SIZE = 1 << 16;
    private static final int ROUNDS = 3;

    private final MemorySegment own = Arena.ofAuto().allocate(SIZE);
    private final GuestMemory memory = new GuestMemory();
    private final DmaCursor cursor = new DmaCursor();
    private final DmaHandle dma;
    private final Path file;
    private long sum;

    /** Whether the section has ended without an error. */
    private boolean passed;

    private CutAccesses(Path file) throws IOException {
        this.file = file;
        length(SIZE);
        memory.addFile(0, file, 0, SIZE);
        dma = DmaSpace.identity(memory).open("accesses");
    }

    /** Arguments: a file, and how often each is done on memory that is there. */
    public static void main(String[] arguments) throws IOException {
        CutAccesses all = new CutAccesses(Path.of(arguments[0]));
        for (Consumer<MemorySegment> access : all.accesses()) {
            all.tryIt(access, Integer.parseInt(arguments[1]));
        }
        all.dma.close();
        all.memory.close();
        System.out.println("all came out");
    }

    private List<Consumer<MemorySegment>> accesses() {
        return List.of(
                ram -> sum += LittleEndian.u8(ram, 1), ram -> sum += LittleEndian.u16(ram, 3),
                ram -> sum ^= LittleEndian.u32(ram, 5), ram -> sum += LittleEndian.i64(ram, 9),
                ram -> sum += LittleEndian.i32(ram, 4) == 1 ? 1 : 0,
                ram -> LittleEndian.putU8(ram, 1, 1), ram -> LittleEndian.putU16(ram, 3, 1),
                ram -> LittleEndian.putI32(ram, 5, 1), ram -> LittleEndian.putI64(ram, 9, 1),
                ram -> sum += LittleEndian.u16Acquire(ram, 2), ram -> sum += LittleEndian.i64Acquire(ram, 8),
                ram -> sum += LittleEndian.i32Acquire(ram, 4) == 1 ? 1 : 0,
                ram -> LittleEndian.putU16Release(ram, 2, 1), ram -> LittleEndian.putI32Release(ram, 4, 1),
                ram -> LittleEndian.putI64Release(ram, 8, 1),
                ram -> copy(dma.read(0, own, 0, 1)), ram -> copy(dma.write(0, own, 0, 1)),
                ram -> copy(dma.read(3, own, 1, 100)), ram -> copy(dma.write(3, own, 1, 100)),
                ram -> copy(dma.read(0, own, 0, SIZE)), ram -> copy(dma.write(0, own, 0, SIZE)));
    }

    private static void copy(DmaResult result) {
        assertEquals(DmaResult.OK, result);
    }

    private void tryIt(Consumer<MemorySegment> access, int warmUps) throws IOException {
        for (int i = 0; i < warmUps; i++) {
            section(access);
        }
        for (int round = 0; round < ROUNDS; round++) {
            length(0);
            passed = false;
            boolean thrown = false;
            try {
                section(access);
            } catch (InternalError expected) {
                thrown = true;
            }
            assertEquals("true false", thrown + " " + passed);
            length(SIZE);
            section(access);
        }
    }

    private void section(Consumer<MemorySegment> access) {
        dma.enter();
        try {
            copy(dma.access(0, 1, Access.READ, cursor));
            boolean ignored = cursor.next();
            access.accept(cursor.segment());
        } finally {
            dma.leave();
        }
        passed = true;
    }

    private void length(long bytes) throws IOException {
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ram.setLength(bytes);
        }
    }
}
