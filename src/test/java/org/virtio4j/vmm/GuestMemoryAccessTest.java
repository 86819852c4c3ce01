// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Guest memory that is cut short ends the process with some kinds of accesses; the package page of {@code
 * org.virtio4j.vmm} lists them. Here the sources of all that could reach it are searched for these.
 */
class GuestMemoryAccessTest {

    /**
     * The modules whose main code sees guest memory. Tools and the driver's side of a test are not among them, nor is
     * {@code host-os}, whose sockets and system calls look at segments in other ways.
     */
    private static final List<String> MODULES = List.of("vmm-core", "virtqueue", "viommu-device", "endpoint-devices",
            "pci-transport", "mmio-transport", "machine", "vfio-user", "command", "serving",
            "trace-replay", "guest-harness", "launcher");

    /** The one place that names a layout. */
    private static final Path LAYOUTS = Path.of("vmm-core/src/main/java/org/virtio4j/vmm/LittleEndian.java");

    private static final Pattern DEADLY = Pattern.compile("\\.mismatch\\(|CRC32|Adler32|Deflater|asByteBuffer\\("
            + "|\\.getString\\([^)]|\\(long\\) LittleEndian\\.i32\\(|long \\w+ = LittleEndian\\.i32\\(");
    private static final Pattern OF_ONES_OWN = Pattern.compile("\\.varHandle\\(|VarHandle \\w+ = ValueLayout"
            + "|invokeExact\\(|\\.(get|set)(AtIndex)?\\(ValueLayout");
    private static final Pattern NOT_OF_LITTLE_ENDIAN = Pattern.compile("compareAndSet|compareAndExchange|getAnd\\w+\\("
            + "|setOpaque|setVolatile|BYTE\\.setRelease");

    @Test
    @DisplayName("No main code touches a segment in a way that ends the process when the memory is cut short")
    void shouldTouchGuestMemoryInKnownWaysOnly() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path source : sources()) {
            search(source, DEADLY, found);
            if (!source.equals(LAYOUTS)) {
                search(source, OF_ONES_OWN, found);
            }
        }
        assertEquals(List.of(), found);
    }

    @Test
    @DisplayName("LittleEndian has no atomic update, and no ordered store of a byte")
    void shouldHaveNoDeadlyAccessor() throws IOException {
        List<String> found = new ArrayList<>();
        search(LAYOUTS, NOT_OF_LITTLE_ENDIAN, found);
        assertEquals(List.of(), found);
    }

    private static List<Path> sources() throws IOException {
        List<Path> all = new ArrayList<>();
        for (String module : MODULES) {
            Path root = root();
            try (Stream<Path> files = Files.walk(root.resolve(module).resolve("src/main/java"))) {
                files.filter(file -> file.toString().endsWith(".java")).map(root::relativize).forEach(all::add);
            }
        }
        assertTrue(all.size() > 200, "the sources are elsewhere");
        return all;
    }

    private static void search(Path source, Pattern pattern, List<String> found) throws IOException {
        int number = 0;
        for (String line : Files.readAllLines(root().resolve(source))) {
            number++;
            String code = line.strip();
            if (!code.startsWith("*") && !code.startsWith("//") && !code.startsWith("/**")
                    && pattern.matcher(code).find()) {
                found.add(source + ":" + number + ": " + code);
            }
        }
    }

    /** Tests run in the folder of a module. */
    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("vmm-core")) ? here : Objects.requireNonNull(here.getParent());
    }
}
