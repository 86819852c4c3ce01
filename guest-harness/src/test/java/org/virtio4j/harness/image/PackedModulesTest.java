// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.harness.options.UnusableGuestException;

/** Modules as the program xz packs them. */
class PackedModulesTest {

    /** With the options that a kernel's Makefile gives: {@code xz --check=crc32 --lzma2=dict=1MiB}. */
    private static final byte[] PACKED = Base64.getMimeDecoder().decode("""
            /Td6WFoAAAFpIt42AgAhARAAAACocI6G4AE6AF9dAD+RRYRoPYmm22pAMks55dOmcnCZUQ0YQHlMfabyMDTtGlsk1PjGyQxoghxP
            KoE4sPwdYaA/ZMUs9cT1WWMBr2wRhVCBnHd7xRqO4I9jcp+WqdjfgN9xdGUKeM4toQkKAABQjRgCAAF3uwIAAAAqGGwYPjANiwIA
            AAAAAVla""");

    /** The same in two parts, one behind the other. */
    private static final byte[] PACKED_IN_PARTS = Base64.getMimeDecoder().decode("""
            /Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4ABjADhdAD+RRYRoPYmm22pAMks55dOmcnCZUQ0YQHlMfabyMDTtGlsk1PjGyQxoghxP
            KoE4sPwdYaA02Xn0ALrAagliwwfGAAFUZDqIjrQftvN9AQAAAAAEWVr9N3pYWgAABObWtEYCACEBFgAAAHQv5aPgANYALl0ANxkK
            yhH3BH7TbxnaVAm+6wwgtZSl5iQnJac36CnhfhNyvh9k1MRXqR6EDfwPwAAAAAEJHCChmBKFAAFK1wEAAAD7Of/uscRn+wIAAAAA
            BFla""");

    private static final byte[] PLAIN = FakeModule.needing("rng_core");

    @TempDir
    private Path folder;

    @BeforeEach
    void needAnotherModule() throws IOException {
        Files.createDirectories(folder.resolve("kernel"));
        Files.write(folder.resolve("kernel/rng-core.ko"), FakeModule.needing(""));
    }

    @Test
    void shouldUnpackAndOrderWhatIsPacked() throws IOException, UnusableGuestException {
        Map<String, byte[]> modules = modules(PACKED);
        assertEquals(List.of("rng_core.ko", "virtio_rng.ko"), List.copyOf(modules.keySet()));
        assertArrayEquals(PLAIN, modules.get("virtio_rng.ko"));
    }

    @Test
    void shouldUnpackAllParts() throws IOException, UnusableGuestException {
        assertArrayEquals(PLAIN, modules(PACKED_IN_PARTS).get("virtio_rng.ko"));
    }

    @Test
    void shouldSayThatTheFileIsCutOff() throws IOException {
        for (int length = 0; length < PACKED.length; length++) {
            assertDamaged(Arrays.copyOf(PACKED, length));
        }
    }

    @Test
    void shouldSayThatTheFileIsDamaged() throws IOException {
        for (int at = 0; at < PACKED.length; at++) {
            byte[] damaged = PACKED.clone();
            damaged[at] ^= 0x10;
            assertDamaged(damaged);
        }
    }

    private void assertDamaged(byte[] file) throws IOException {
        UnusableGuestException failure = assertThrows(UnusableGuestException.class, () -> modules(file));
        assertEquals(folder.resolve("kernel/virtio-rng.ko.xz")
                + ": expected a kernel module, found: a damaged xz file", failure.getMessage());
    }

    private Map<String, byte[]> modules(byte[] file) throws IOException, UnusableGuestException {
        Files.write(folder.resolve("kernel/virtio-rng.ko.xz"), file);
        return KernelModules.in(folder).inOrder(List.of("virtio_rng"));
    }
}
