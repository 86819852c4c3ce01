// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.CommandFailure;

/** Whatever is done to a configuration, the reader takes it or says one line in its own words. */
class BrokenTomlTest {

    private static final String WHOLE = """
            # here
            [[machine]]
            name = "vm"
            folder = "run"
            memory = 512
            sealed-memory = false
            [machine.iommu]
            address = "00:08.0" # there
            page-sizes = ["4K", "2M"]
            reserved = [
              "msi:x86", # x
              "reserved:0-fff",
            ]
            linger = 1_000
            [[machine.rng]]
            address = "00:09.0"
            poll = true
            idle = 'spin'
            [[machine]]
            name = "other"
            folder = "run2"
            iommu = { address = "00:08.0", linger = 5 }
            rng = [{ address = "00:09.0" }, { address = "00:0a.0", iommu = false }]
            """;

    private static final List<String> PIECES = List.of("\"", "'", "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#",
            "\n", "\r", "\r\n", "\t", " ", "\\", "\\u12", "\u0000", "\ufeff", "0", "1_", "0x", "-", "+", "true", "yes",
            "machine", "[machine.iommu]\n", "[[machine]]\n", "[machine]\n", "address = ", "disk = ", "\"\"\"", "'''",
            "1979-05-27", "07:32", "1979-13-32", "1e9", "inf", "\u00e9", "\ud83d\ude00", "\u2028", "iommu = 1\n",
            "name", "a.b", "[a.b.c]\n", "[[machine.disk.x]]\n", "[[machine.rng]]\n", "[machine.rng]\n", "[iommu]\n");
    private static final int TIMES = 1_000;

    @TempDir
    private Path folder;

    @Test
    void shouldSayOneLineInItsOwnWords() throws IOException {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("virtio4j.seed=" + seed);
        Random random = new Random(seed);
        Path file = folder.resolve("vm.toml");
        for (int i = 0; i < TIMES; i++) {
            String broken = broken(random);
            Files.write(file, broken.getBytes(StandardCharsets.UTF_8));
            try {
                MachineReader.read(file);
            } catch (CommandFailure failure) {
                String message = String.valueOf(failure.getMessage());
                assertTrue(message.startsWith(file + ":") && message.lines().count() == 1
                        && message.length() < file.toString().length() + 400
                        && !message.matches("(?s).*(Unexpected|TOML versions|end-of-input|newline|previously).*"),
                        () -> message + "\n" + broken);
            }
        }
    }

    private static String broken(Random random) {
        StringBuilder text = new StringBuilder(WHOLE);
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(text.length());
            String piece = PIECES.get(random.nextInt(PIECES.size()));
            switch (random.nextInt(3)) {
                case 0 -> text.insert(at, piece);
                case 1 -> text.delete(at, at + 1 + random.nextInt(6));
                default -> text.replace(at, at + 1, piece);
            }
        }
        return text.toString();
    }
}
