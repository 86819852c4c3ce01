// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.os.memory.NativeMemory;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.pci.PciHeader;

/** RAM that is a file which the embedder has named, with descriptors and without. */
@Timeout(60)
class MemoryFileTest {

    private static final long SIZE = 2 << 20;

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldServeADriverWhoseRamIsAFile(boolean descriptors) throws IOException {
        Path file = file("guest.ram");
        try (Served served = new Served(folder, options(descriptors, file)); TestClient client = served.connect()) {
            IommuDriver driver = bringUp(client, file);
            driver.attach(1, 7, Served.ENDPOINT, 0);
            driver.map(2, 7, 0, 0xfff, 0x1000, 3);
            driver.sync();
            assertEquals(1, served.iommu.liveMappings());
        }
    }

    @Test
    void shouldLeadNowhereWhenAWindowIsNotOfTheFile() throws IOException {
        Path file = file("guest.ram");
        try (Served served = new Served(folder, options(true, file).withSealedMemory(true));
                TestClient client = served.connect()) {
            assertEquals(0, client.map(0, SIZE, 0, 3).errno(), "no descriptor, so not of the file");
            assertEquals(0, served.socket.memory().map().count());
            int other = Libc.memfd(SIZE, 0);
            assertEquals(TestClient.EINVAL, client.map(SIZE, SIZE, 0, 3, other).errno());
            Libc.close(other);
        }
        try (Served served = new Served(folder, options(false, file)); TestClient client = served.connect()) {
            assertEquals(0, client.map(0, SIZE, 0, 1).errno(), "read-only, so a ROM");
            assertEquals(0, served.socket.memory().map().count());
            assertEquals(TestClient.EINVAL, client.map(SIZE, SIZE, SIZE, 3).errno(), "the file is shorter");
            Files.delete(file);
            assertEquals(5, client.map(SIZE, SIZE, 0, 3).errno(), "EIO");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLoseOnlyThatMachineWhenTheFileIsCutShort(boolean descriptors) throws IOException {
        Path file = file("guest.ram");
        Path otherFolder = Files.createDirectory(folder.resolve("other"));
        Path otherFile = file("other.ram");
        try (Served served = new Served(folder, options(descriptors, file));
                Served other = new Served(otherFolder, options(descriptors, otherFile));
                TestClient otherClient = other.connect()) {
            IommuDriver otherDriver = bringUp(otherClient, otherFile);
            try (TestClient client = served.connect()) {
                bringUp(client, file);
                try (RandomAccessFile shorter = new RandomAccessFile(file.toFile(), "rw")) {
                    shorter.setLength(0);
                }
                // A kick, whose available index lies in what is gone.
                client.postWrite(4, 0x3000, 2, 0);
                assertEquals(0x4f, client.value(4, 0x14, 1), "NEEDS_RESET");
            }
            assertEquals(Optional.empty(), served.socket.failure());
            otherDriver.attach(1, 7, Served.ENDPOINT, 0);
            otherDriver.sync();
            assertEquals(1, other.iommu.liveDomains());

            try (RandomAccessFile longer = new RandomAccessFile(file.toFile(), "rw")) {
                longer.setLength(SIZE);
            }
            try (TestClient next = served.connect()) {
                IommuDriver driver = bringUp(next, file);
                driver.attach(1, 7, Served.ENDPOINT, 0);
                driver.sync();
                assertEquals(1, served.iommu.liveDomains(), "the function itself is as good as new");
            }
        }
    }

    @Test
    void shouldServeWithoutNativeAccess() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 24) {
            command.add("--illegal-native-access=deny");
        }
        String path = Stream.of(WithoutNativeAccess.class, VfioUserSocket.class, VirtioPciFunction.class,
                VirtioDevice.class, GuestMemory.class, NativeMemory.class, PciHeader.class).map(MemoryFileTest::pathOf)
                .collect(Collectors.joining(File.pathSeparator));
        command.addAll(List.of("-cp", path, WithoutNativeAccess.class.getName(), folder.toString()));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertEquals(0, child.waitFor(), output);
        assertEquals(WithoutNativeAccess.DONE, output.strip());
    }

    @Test
    void shouldRefuseOptionsThatGiveNoMemory() {
        assertThrows(IllegalArgumentException.class,
                () -> new VfioUserOptions(Optional.empty(), false, (holder, waitedNanos) -> { }, () -> { },
                        (command, errno, reason) -> { }, false));
    }

    private static String pathOf(Class<?> type) {
        return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString())).toString();
    }

    private Path file(String name) throws IOException {
        Path file = folder.resolve(name);
        try (RandomAccessFile created = new RandomAccessFile(file.toFile(), "rw")) {
            created.setLength(SIZE);
        }
        return file;
    }

    private static VfioUserOptions options(boolean descriptors, Path file) {
        return descriptors ? VfioUserOptions.DEFAULT.withMemoryFile(file)
                : VfioUserOptions.DEFAULT.withoutDescriptors(file);
    }

    /** The guest's own view is a mapping of its own, and stays open: the driver is not what is tested. */
    private static IommuDriver bringUp(TestClient client, Path file) throws IOException {
        int descriptor = Libc.open(file);
        assertEquals(0, client.map(0, SIZE, 0, 3, descriptor).errno());
        Libc.close(descriptor);
        GuestMemory guest = new GuestMemory();
        guest.addFile(0, file, 0, SIZE);
        SocketBus bus = new SocketBus(client);
        IommuDriver driver = new IommuDriver(
                new PciHost(bus.ecam(), bus.memory(), SocketBus.MEMORY_START, SocketBus.MEMORY_SIZE).scan()
                        .getFirst(),
                new GuestRam(guest, 0, SIZE), IommuDriverOptions.LINUX.withPollLimit(Long.MAX_VALUE), result -> { });
        assertEquals(StartResult.OK, driver.start());
        return driver;
    }
}
