// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.RegionKind;

@Timeout(60)
class DmaWindowTest extends ServedTest {

    private static final int EEXIST = 17;
    private static final int READ_WRITE = 3;
    private static final int ALL = 2;
    private static final long SIZE = 1 << 20;

    private final Arena arena = Arena.ofShared();
    private int memfd;
    private OpenThings before;

    @BeforeEach
    void connect() {
        memfd = Libc.memfd(SIZE, Libc.SEAL_SHRINK);
        before = OpenThings.now();
    }

    @AfterEach
    void close() {
        Libc.close(memfd);
        arena.close();
    }

    @Test
    void shouldShareMemoryBothWays() {
        MemorySegment ram = Libc.map(memfd, SIZE, arena);
        assertEquals(0, client.map(0x10_0000, SIZE / 2, SIZE / 2, READ_WRITE, memfd).errno());
        DmaHandle dma = DmaSpace.identity(served.socket.memory()).open("test");
        MemorySegment buffer = arena.allocate(8);

        ram.set(ValueLayout.JAVA_LONG, SIZE / 2 + 64, 0x1122334455667788L);
        dma.enter();
        assertEquals(DmaResult.OK, dma.read(0x10_0040, buffer, 0, 8));
        assertEquals(DmaResult.OK, dma.write(0x10_0080, buffer, 0, 8));
        assertEquals(DmaResult.BUS_ERROR, dma.read(0x10_0000 + SIZE / 2, buffer, 0, 8));
        dma.leave();
        assertEquals(0x1122334455667788L, ram.get(ValueLayout.JAVA_LONG, SIZE / 2 + 128));
        dma.close();
    }

    @Test
    void shouldKeepNoDescriptorOfMemory() {
        client.map(0, SIZE, 0, READ_WRITE, memfd);
        OpenThings now = OpenThings.now();
        assertEquals(before.descriptors(), now.descriptors());
        assertEquals(before.mappings() + 1, now.mappings());
    }

    @Test
    void shouldTakeMemoryThatCanShrink() throws IOException {
        Path file = Files.write(folder.resolve("guest.ram"), new byte[(int) SIZE]);
        int[] several = {Libc.memfd(SIZE, 0), Libc.memfd(SIZE, Libc.SEAL_GROW), Libc.open(file)};
        Files.delete(file);
        for (int i = 0; i < several.length; i++) {
            assertEquals(0, client.map(i * SIZE, SIZE, 0, READ_WRITE, several[i]).errno());
            Libc.close(several[i]);
        }
        assertEquals(several.length, served.socket.memory().map().count());
    }

    @Test
    void shouldRefuseMemoryThatCanShrinkWhereSealsAreAskedFor() throws IOException {
        Path sealedFolder = Files.createDirectory(folder.resolve("sealed"));
        try (Served sealed = new Served(sealedFolder, VfioUserOptions.DEFAULT.withSealedMemory(true));
                TestClient another = sealed.connect()) {
            int[] unsealed = {Libc.memfd(SIZE, 0), Libc.memfd(SIZE, Libc.SEAL_GROW)};
            for (int fd : unsealed) {
                assertEquals(TestClient.EINVAL, another.map(0, SIZE, 0, READ_WRITE, fd).errno());
                Libc.close(fd);
            }
            assertEquals(0, another.map(0, SIZE, 0, READ_WRITE, memfd).errno());
        }
    }

    @Test
    void shouldRefuseWhatIsNoMemory() throws IOException {
        int eventfd = Libc.eventfd();
        Path file = Files.write(folder.resolve("short.ram"), new byte[(int) SIZE - 1]);
        int tooShort = Libc.open(file);
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, READ_WRITE, eventfd).errno());
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, READ_WRITE, client.fd()).errno());
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, READ_WRITE, tooShort).errno());
        Libc.close(eventfd);
        Libc.close(tooShort);
        assertNothingMapped();
    }

    /** Its size, if it is large enough, says nothing of that. */
    @Test
    void shouldRefuseAFolder() {
        int directory = Libc.openToRead(Path.of("/"));
        assertNotEquals(0, client.map(0, 0x1000, 0, 1, directory).errno());
        Libc.close(directory);
        assertNothingMapped();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0x200000, 0", "0, 0x1000, 0x100000", "0, 0x100000, 0x1000", "0, 0, 0", "0, -4096, 0", "0, 100, 0",
        "0x10, 0x1000, 0", "0xfffffffffffff000, 0x2000, 0", "0, 0x1000, 0x7ffffffffffff000", "0, 0x1000, -4096",
        "0, 0x1000, 0x10"
    })
    void shouldRefuseAWindowThatTheMemoryDoesNotHave(String address, String size, String offset) {
        long start = address.startsWith("0xf") ? -4096 : Long.decode(address);
        assertEquals(TestClient.EINVAL, client.map(start, Long.decode(size), Long.decode(offset), READ_WRITE,
                memfd).errno());
        assertNothingMapped();
    }

    @Test
    void shouldRefuseFlagsAndSizesThatThereAreNot() {
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, 0, memfd).errno());
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, 7, memfd).errno());
        assertEquals(TestClient.EINVAL, client.map(0, SIZE, 0, READ_WRITE, memfd, memfd).errno());
        assertEquals(TestClient.EINVAL, client.request(TestClient.DMA_MAP,
                TestClient.body(32).putInt(31).putInt(3).putLong(0).putLong(0).putLong(SIZE), memfd).errno());
        assertEquals(TestClient.EINVAL, client.request(TestClient.DMA_MAP, TestClient.body(24), memfd).errno());
        assertNothingMapped();
    }

    @Test
    void shouldRefuseAWindowThatOverlaps() {
        client.map(0x10_0000, SIZE, 0, READ_WRITE, memfd);
        assertEquals(EEXIST, client.map(0x10_0000, SIZE, 0, READ_WRITE, memfd).errno());
        assertEquals(EEXIST, client.map(0x1f_f000, 0x1000, 0, READ_WRITE, memfd).errno());
        assertEquals(EEXIST, client.map(0x0f_f000, 0x2000, 0, READ_WRITE, memfd).errno());
        assertEquals(0, client.map(0x0f_f000, 0x1000, 0, READ_WRITE, memfd).errno());
        assertEquals(0, client.map(0x20_0000, 0x1000, 0, READ_WRITE, memfd).errno());
        assertEquals(3, served.socket.windows());
    }

    @Test
    void shouldTakeAReadOnlyWindowForRom() {
        assertEquals(0, client.map(0, SIZE, 0, 1, memfd).errno());
        assertEquals(RegionKind.ROM, served.socket.memory().map().region(0).kind());
        assertTrue(served.socket.memory().map().region(0).segment().isReadOnly());
    }

    @Test
    void shouldRememberAWindowWithoutMemoryButLeadNowhere() {
        assertEquals(0, client.map(0xc_0000, 0x2_0000, 0, 1).errno());
        assertEquals(1, served.socket.windows());
        assertEquals(0, served.socket.memory().map().count());
        assertEquals(EEXIST, client.map(0xc_0000, 0x1000, 0, READ_WRITE, memfd).errno());
        assertEquals(0, client.unmap(0xc_0000, 0x2_0000, 0).errno());
        assertEquals(0, served.socket.windows());
    }

    @Test
    void shouldUnmapBeforeItAnswers() {
        client.map(0, SIZE, 0, READ_WRITE, memfd);
        TestClient.Answer answer = client.unmap(0, SIZE, 0);
        assertEquals(0, answer.errno());
        assertEquals(24, answer.body().capacity());
        assertEquals(SIZE, answer.body().getLong(16));
        assertNothingMapped();
    }

    /** As the kernel's VFIO answers; an IOMMU of QEMU's unmaps its whole space when it is reset. */
    @Test
    void shouldAnswerWithTheBytesItUnmappedAndTakeARangeWithoutWindows() {
        client.map(0x1000, 0x1000, 0, READ_WRITE, memfd);
        client.map(0x4000, 0x2000, 0, 1);
        assertEquals(0, unmapped(0x2000, 0x2000, 0));
        assertEquals(0, unmapped(1L << 62, 1L << 62, 0));
        assertEquals(0x3000, unmapped(0, 1L << 32, 0));
        assertEquals(0, unmapped(0, 1L << 32, 0));
        assertEquals(0, unmapped(1L << 63, 1L << 63, 0), "a size is without sign");
        assertEquals(0, unmapped(0, 0, ALL));
        client.map(0x1000, 0x1000, 0, READ_WRITE, memfd);
        assertEquals(0x1000, unmapped(0, 0, ALL));
        assertEquals(TestClient.EINVAL, client.unmap(0, 0, 0).errno());
        assertEquals(TestClient.EINVAL, client.unmap(0x800, 0x1000, 0).errno());
        assertEquals(TestClient.EINVAL, client.unmap(-4096, 0x2000, 0).errno());
        assertNothingMapped();
    }

    @Test
    void shouldUnmapAllThatLiesInTheRangeAndNothingThatDoesNot() {
        client.map(0x1000, 0x1000, 0, READ_WRITE, memfd);
        client.map(0x3000, 0x1000, 0, READ_WRITE, memfd);
        client.map(0x5000, 0x2000, 0, READ_WRITE, memfd);
        assertEquals(TestClient.EINVAL, client.unmap(0x1000, 0x5000, 0).errno(), "the last would be split");
        assertEquals(TestClient.EINVAL, client.unmap(0x6000, 0x5000, 0).errno(), "so would it here");
        assertEquals(3, served.socket.windows());
        assertEquals(0, client.unmap(0, 0x5000, 0).errno());
        assertEquals(1, served.socket.windows());
        assertEquals(1, served.socket.memory().map().count());
    }

    @Test
    void shouldUnmapEverythingWhenAskedForAll() {
        client.map(0x1000, 0x1000, 0, READ_WRITE, memfd);
        client.map(0xc_0000, 0x2_0000, 0, 1);
        assertEquals(0, client.unmap(0, 0, ALL).errno());
        assertNothingMapped();
        assertEquals(TestClient.EINVAL, client.unmap(0, 0x1000, ALL).errno(), "all is not a range");
    }

    @Test
    void shouldRefuseTheOldLogOfWrittenPages() {
        client.map(0, SIZE, 0, READ_WRITE, memfd);
        assertEquals(TestClient.ENOTSUP, client.unmap(0, SIZE, 1).errno());
        assertEquals(1, served.socket.windows());
    }

    @Test
    void shouldWaitWithTheAnswerUntilNoDeviceIsInside() throws Exception {
        client.map(0, SIZE, 0, READ_WRITE, memfd);
        DmaHandle dma = DmaSpace.identity(served.socket.memory()).open("inside");
        MemorySegment buffer = arena.allocate(8);
        dma.enter();
        assertEquals(DmaResult.OK, dma.read(0, buffer, 0, 8));
        CompletableFuture<TestClient.Answer> answer = CompletableFuture.supplyAsync(() -> client.unmap(0, SIZE, 0));
        while (served.socket.memory().map().count() > 0) {
            Thread.onSpinWait();
        }
        assertFalse(answer.isDone());
        assertEquals(DmaResult.OK, dma.read(8, buffer, 0, 8), "what was there stays until the section ends");
        assertEquals(before.mappings() + 1, OpenThings.now().mappings());
        dma.leave();
        assertEquals(0, answer.get().errno());
        assertNothingMapped();
        dma.close();
    }

    private long unmapped(long address, long size, int flags) {
        TestClient.Answer answer = client.unmap(address, size, flags);
        assertEquals(0, answer.errno());
        return answer.body().getLong(16);
    }

    private void assertNothingMapped() {
        assertEquals(0, served.socket.windows());
        assertEquals(0, served.socket.memory().map().count());
        assertEquals(before.mappings(), OpenThings.now().mappings());
    }
}
