// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.UnusableGuestException;

class KernelTest {

    @TempDir
    private Path folder;

    @Test
    void shouldFindModulesByTheVersionThatTheKernelHasInIt() throws IOException, UnusableGuestException {
        Path image = kernel("boot/vmlinuz-called-otherwise", "6.12.117+deb13-cloud-amd64 (debian-kernel@...) #1");
        Path modules = Files.createDirectories(folder.resolve("usr/lib/modules/6.12.117+deb13-cloud-amd64"));
        assertEquals(new Kernel(image, modules), Kernel.unpackedIn(folder));
    }

    @Test
    void shouldFindKernelThatLiesAmongItsModules() throws IOException, UnusableGuestException {
        Path image = kernel("usr/lib/modules/7.2.12/vmlinuz", "7.2.12 (x) #1");
        Kernel expected = new Kernel(image, folder.resolve("usr/lib/modules/7.2.12"));
        assertEquals(expected, Kernel.of(image));
        assertEquals(expected, Kernel.unpackedIn(folder));
    }

    @Test
    void shouldKnowMainframesKernelByItsName() throws IOException, UnusableGuestException {
        Path image = Files.createDirectories(folder.resolve("boot")).resolve("vmlinuz-6.1.0-50-s390x");
        Files.writeString(image, "it says nothing of its version");
        UnusableGuestException failure = assertThrows(UnusableGuestException.class,
                () -> Kernel.unpackedIn(folder, Architecture.S390X));
        assertEquals(image + ": expected its modules in " + folder + ", found none", failure.getMessage());
        Path modules = Files.createDirectories(folder.resolve("lib/modules/6.1.0-50-s390x"));
        assertEquals(new Kernel(image, modules), Kernel.unpackedIn(folder, Architecture.S390X));
    }

    @Test
    void shouldSayWhereModulesAreExpected() throws IOException {
        Path image = kernel("boot/vmlinuz", "6.12.0 #1");
        UnusableGuestException failure = assertThrows(UnusableGuestException.class, () -> Kernel.of(image));
        assertEquals(image + ": expected its modules in lib/modules/6.12.0 of a folder above, found none",
                failure.getMessage());
    }

    @Test
    void shouldRefuseWhatIsNoKernel() throws IOException {
        Path image = Files.writeString(folder.resolve("vmlinuz"), "no kernel");
        UnusableGuestException failure = assertThrows(UnusableGuestException.class, () -> Kernel.of(image));
        assertEquals(image + ": expected a Linux kernel for x86-64 (bzImage), found none", failure.getMessage());
    }

    private Path kernel(String path, String version) throws IOException {
        ByteBuffer image = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        image.putShort(0x20e, (short) 0x3000);
        image.put(0x3200, version.getBytes(StandardCharsets.US_ASCII));
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.write(file, image.array());
    }
}
