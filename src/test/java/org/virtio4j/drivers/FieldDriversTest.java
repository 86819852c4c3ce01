// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.wire.block.RequestHeader;
import org.virtio4j.wire.block.RequestStatus;
import org.virtio4j.wire.block.RequestType;

/** Whatever habits a driver has, it gets its disk and its random bytes. */
@ParameterizedClass(name = "{0} over {1}")
@MethodSource("everybodyEverywhere")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class FieldDriversTest {

    private static final int SECTOR = 512;
    private static final int SECTORS = 2048;
    private static final int HEADER = 0;
    private static final int STATUS = 1;
    private static final int DATA = 8;

    @Parameter(0)
    Habits habits = Habits.U_BOOT;

    @Parameter(1)
    TransportKind kind = TransportKind.MMIO;

    @TempDir
    @Nullable Path folder;

    private @Nullable FieldGuest guest;
    private @Nullable VirtioBlock disk;

    static Stream<Arguments> everybodyEverywhere() {
        return Arrays.stream(Habits.values())
                .flatMap(who -> Arrays.stream(TransportKind.values()).map(kind -> Arguments.of(who, kind)));
    }

    @AfterEach
    void close() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (disk != null) {
            disk.close();
        }
    }

    @Test
    @DisplayName("5.2: it finds the disk, reads what is there, and writes")
    void shouldReadAndWriteTheDisk() throws IOException {
        byte[] contents = makeDisk();
        FieldDriver driver = drive(openDisk());
        driver.start();
        assertEquals(SECTORS, driver.capacity());
        for (int sector = 0; sector < 64; sector += 4) {
            assertEquals(RequestStatus.OK, transfer(driver, RequestType.IN, sector, 4));
            assertArrayEquals(slice(contents, sector, 4), data(4));
        }
        put(slice(contents, 8, 2));
        assertEquals(RequestStatus.OK, transfer(driver, RequestType.OUT, 40, 2));
        System.arraycopy(contents, 8 * SECTOR, contents, 40 * SECTOR, 2 * SECTOR);
        assertArrayEquals(contents, Files.readAllBytes(path()));
    }

    @Test
    @DisplayName("5.2.6: as much as it likes in one descriptor")
    void shouldReadAllOfTheDiskAtOnce() throws IOException {
        byte[] contents = makeDisk();
        FieldDriver driver = drive(openDisk());
        driver.start();
        assertEquals(RequestStatus.OK, transfer(driver, RequestType.IN, 0, SECTORS));
        assertArrayEquals(contents, data(SECTORS));
    }

    @Test
    @DisplayName("2.4, 3.1.1: it leaves its way with a request at work, and the device serves who comes next")
    void shouldServeWhoComesNext() throws IOException {
        byte[] contents = makeDisk();
        FieldDriver driver = drive(openDisk());
        for (int life = 0; life < 5; life++) {
            driver.start();
            assertEquals(RequestStatus.OK, transfer(driver, RequestType.IN, life, 1));
            assertArrayEquals(slice(contents, life, 1), data(1));
            header(RequestType.IN, 8);
            driver.offer(chain(RequestType.IN, 4));
            driver.leave();
        }
        FieldDriver other = Habits.FREEBSD.drive(Objects.requireNonNull(guest));
        other.start();
        assertEquals(SECTORS, other.capacity());
        assertEquals(RequestStatus.OK, transfer(other, RequestType.IN, 3, 1));
        assertArrayEquals(slice(contents, 3, 1), data(1));
    }

    @Test
    @DisplayName("5.4: it gets random bytes")
    void shouldGetRandomBytes() {
        FieldDriver driver = drive(new VirtioEntropy());
        driver.start();
        Set<Long> seen = new HashSet<>();
        FieldGuest own = Objects.requireNonNull(guest);
        for (int i = 0; i < 40; i++) {
            assertEquals(16, driver.request(Buffer.writable(own.buffer(DATA), 16)));
            assertTrue(seen.add(own.ram.i64(own.buffer(DATA))), "the same bytes again");
        }
        driver.leave();
    }

    private FieldDriver drive(VirtioDevice device) {
        guest = new FieldGuest(kind, device);
        return habits.drive(guest);
    }

    private VirtioDevice openDisk() throws IOException {
        disk = VirtioBlock.builder(path()).build();
        return disk;
    }

    private byte[] makeDisk() throws IOException {
        byte[] bytes = new byte[SECTORS * SECTOR];
        new Random(1).nextBytes(bytes);
        Files.write(path(), bytes);
        return bytes;
    }

    private Path path() {
        return Objects.requireNonNull(folder).resolve("disk.img");
    }

    /** Header, data and status in buffers of their own; the status that comes back. */
    private int transfer(FieldDriver driver, int type, long sector, int sectors) {
        FieldGuest own = Objects.requireNonNull(guest);
        header(type, sector);
        own.ram.putU8(own.buffer(STATUS), 0xff);
        driver.request(chain(type, sectors));
        return own.ram.u8(own.buffer(STATUS));
    }

    private void header(int type, long sector) {
        FieldGuest own = Objects.requireNonNull(guest);
        own.ram.putI32(own.buffer(HEADER) + RequestHeader.TYPE, type);
        own.ram.putI32(own.buffer(HEADER) + RequestHeader.RESERVED, 0);
        own.ram.putI64(own.buffer(HEADER) + RequestHeader.SECTOR, sector);
    }

    private Buffer[] chain(int type, int sectors) {
        FieldGuest own = Objects.requireNonNull(guest);
        long data = own.buffer(DATA);
        return new Buffer[] {
            Buffer.readable(own.buffer(HEADER), (int) RequestHeader.SIZE),
            type == RequestType.IN ? Buffer.writable(data, sectors * SECTOR) : Buffer.readable(data, sectors * SECTOR),
            Buffer.writable(own.buffer(STATUS), (int) RequestHeader.STATUS_SIZE),
        };
    }

    private byte[] data(int sectors) {
        FieldGuest own = Objects.requireNonNull(guest);
        byte[] bytes = new byte[sectors * SECTOR];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) own.ram.u8(own.buffer(DATA) + i);
        }
        return bytes;
    }

    private void put(byte[] bytes) {
        FieldGuest own = Objects.requireNonNull(guest);
        for (int i = 0; i < bytes.length; i++) {
            own.ram.putU8(own.buffer(DATA) + i, bytes[i]);
        }
    }

    private static byte[] slice(byte[] bytes, int sector, int sectors) {
        return Arrays.copyOfRange(bytes, sector * SECTOR, (sector + sectors) * SECTOR);
    }
}
