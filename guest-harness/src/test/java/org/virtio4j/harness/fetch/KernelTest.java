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
        assertEquals(expected, Kernel.of(image, Architecture.X86_64));
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
        UnusableGuestException failure = assertThrows(UnusableGuestException.class,
                () -> Kernel.of(image, Architecture.X86_64));
        assertEquals(image + ": expected its modules in lib/modules/6.12.0 of a folder above, found none",
                failure.getMessage());
    }

    @Test
    void shouldRefuseWhatIsNoKernel() throws IOException {
        Path image = Files.writeString(folder.resolve("vmlinuz"), "no kernel");
        UnusableGuestException failure = assertThrows(UnusableGuestException.class,
                () -> Kernel.of(image, Architecture.X86_64));
        assertEquals(image + ": expected a Linux kernel for x86-64 (bzImage), found none", failure.getMessage());
    }

    @Test
    void shouldKnowKernelsOfOtherMachinesByMagicAndName() throws IOException, UnusableGuestException {
        Path modules = Files.createDirectories(folder.resolve("usr/lib/modules/6.12.0-arm64"));
        Path image = otherKernel("boot/vmlinuz-6.12.0-arm64", 56, "ARMd");
        assertEquals(new Kernel(image, modules), Kernel.of(image, Architecture.ARM64));
        assertEquals(new Kernel(image, modules), Kernel.unpackedIn(folder, Architecture.ARM64));
        Path lines = Files.createDirectories(folder.resolve("usr/lib/modules/6.12.0-riscv64"));
        Path other = otherKernel("boot/vmlinux-6.12.0-riscv64", 56, "RSC\u0005");
        assertEquals(new Kernel(other, lines), Kernel.of(other, Architecture.RISCV64));
        assertRefused(other, Architecture.ARM64);
        assertRefused(otherKernel("boot/Image", 56, "ARMd"), Architecture.ARM64);
        assertRefused(folder.resolve("none"), Architecture.ARM64);
    }

    @Test
    void shouldKnowCompressedKernelByTheFolderOfItsModules() throws IOException, UnusableGuestException {
        Path image = otherKernel("usr/lib/modules/7.2.12-arm64/vmlinuz", 4, "zimg");
        assertRefused(image, Architecture.ARM64);
        Files.createFile(image.resolveSibling("modules.builtin"));
        Kernel expected = new Kernel(image, folder.resolve("usr/lib/modules/7.2.12-arm64"));
        assertEquals(expected, Kernel.of(image, Architecture.ARM64));
    }

    private static void assertRefused(Path image, Architecture architecture) {
        UnusableGuestException failure = assertThrows(UnusableGuestException.class,
                () -> Kernel.of(image, architecture));
        assertEquals(image + ": expected a Linux kernel for " + architecture + " called vmlinuz-VERSION, found none",
                failure.getMessage());
    }

    private Path otherKernel(String path, int at, String magic) throws IOException {
        byte[] image = new byte[64];
        byte[] bytes = magic.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, image, at, bytes.length);
        Path file = folder.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.write(file, image);
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
