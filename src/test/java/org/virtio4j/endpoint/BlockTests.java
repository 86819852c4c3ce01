// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What the tests of the disk have in common: each runs over every kind of guest, with a file of its own. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class BlockTests {

    static final int SECTOR = 512;

    @Parameter
    GuestKind kind = GuestKind.MMIO;

    @TempDir
    @Nullable Path folder;

    private final List<BlockMachine> machines = new ArrayList<>();
    private final List<VirtioBlock> disks = new ArrayList<>();
    private @Nullable TestFile file;
    private int files;

    /** A disk of so many sectors with random contents. */
    VirtioBlockBuilder disk(int sectors) {
        return disk(sectors, true);
    }

    /** The same, where the file system can give storage back and where it cannot. */
    VirtioBlockBuilder disk(int sectors, boolean sparse) {
        files++;
        write(random(sectors, sectors * SECTOR));
        Path path = path();
        return new VirtioBlockBuilder(readOnly -> {
            TestFile opened = new TestFile(path, readOnly, sparse);
            file = opened;
            return opened;
        }).queueSize(BlockMachine.QUEUE_SIZE);
    }

    /** Powers a guest on whose driver has not touched the disk yet. */
    BlockMachine powerOn(VirtioBlock disk) {
        return keep(new BlockMachine(kind, disk));
    }

    /** Closes it when the test ends. */
    BlockMachine keep(BlockMachine machine) {
        machines.add(machine);
        return machine;
    }

    BlockMachine powerOn(VirtioBlockBuilder builder) {
        return powerOn(build(builder));
    }

    /** A guest whose driver has brought the disk up with all features. */
    BlockMachine start(VirtioBlockBuilder builder) {
        return powerOn(builder).start();
    }

    VirtioBlock build(VirtioBlockBuilder builder) {
        try {
            VirtioBlock disk = builder.build();
            disks.add(disk);
            return disk;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @AfterEach
    void closeMachines() throws IOException {
        machines.forEach(BlockMachine::close);
        machines.clear();
        for (VirtioBlock disk : disks) {
            disk.close();
        }
        disks.clear();
    }

    /** The file of the disk that was built last. */
    TestFile file() {
        return Objects.requireNonNull(file);
    }

    /** The disk that was built last. */
    VirtioBlock disk() {
        return disks.getLast();
    }

    /** The file of the disk that was set up last; each has one of its own. */
    Path path() {
        return Objects.requireNonNull(folder).resolve("disk" + files + ".img");
    }

    /** The file's contents, read past the device. */
    byte[] contents() {
        try {
            return Files.readAllBytes(path());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    void write(byte[] bytes) {
        try {
            Files.write(path(), bytes);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** A seed, printed so that a failure can be played again. */
    static long seed() {
        long seed = Long.getLong("virtio4j.seed", ThreadLocalRandom.current().nextLong());
        System.out.println("-Dvirtio4j.seed=" + seed);
        return seed;
    }

    static void assertStatus(int status, DiskReply reply) {
        assertEquals(status, reply.status(), reply.toString());
    }

    void assertOutcome(BlockOutcome outcome, long count) {
        assertEquals(count, disk().counters().outcomes(outcome), outcome.toString());
    }
}
