// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.harness.options.UnusableGuestException;

/** Other programs play xz; what they are told to do does not matter. */
class XzProgramTest {

    private static final Path FILE = Path.of("module.ko.xz");
    private static final List<String> ABSENT = List.of("/no/such/program");

    @Test
    void shouldTakeTheFirstProgramThatIsThere() throws IOException, UnusableGuestException {
        byte[] unpacked = new XzProgram(List.of(ABSENT, List.of("echo", "-n"))).unpack(FILE);
        assertArrayEquals("-dc module.ko.xz".getBytes(StandardCharsets.US_ASCII), strip(unpacked));
    }

    @Test
    void shouldSayWhatToInstall() {
        UnusableGuestException failure = assertThrows(UnusableGuestException.class,
                () -> new XzProgram(List.of(ABSENT)).unpack(FILE));
        assertEquals("the kernel's modules are packed by xz, which is not installed; install it",
                failure.getMessage());
    }

    @Test
    void shouldSayThatTheFileIsDamaged() {
        assertThrows(IOException.class, () -> new XzProgram(List.of(List.of("false"))).unpack(FILE));
    }

    private static byte[] strip(byte[] text) {
        return new String(text, StandardCharsets.US_ASCII).strip().getBytes(StandardCharsets.US_ASCII);
    }
}
