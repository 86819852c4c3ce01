// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigToTomlCommandTest {

    private static final String FORMER = """
            # For mail.
            [machine mail]
            folder = run
            [iommu]
            address = 00:08.0
            [rng]
            address = 00:09.0
            """;

    @TempDir
    private Path folder;

    @Test
    void shouldSayHowItIsUsed() {
        CommandRun help = CommandRun.of("config-to-toml", "--help");
        assertEquals(0, help.status());
        assertTrue(help.out().lines().allMatch(line -> line.length() <= 100), help.out());
    }

    @Test
    void shouldPrintToml() throws IOException {
        CommandRun run = CommandRun.of("config-to-toml", write(FORMER));
        assertEquals("", run.err());
        assertEquals("""
                # For mail.
                [[machine]]
                name = "mail"
                folder = "run"
                [machine.iommu]
                address = "00:08.0"
                [[machine.rng]]
                address = "00:09.0"
                """, run.out());
        assertEquals(0, run.status());
    }

    @Test
    void shouldSayThatAFileIsTomlAlready() throws IOException {
        String file = write(CommandRun.of("config-to-toml", write(FORMER)).out());
        assertRefused(file + ": expected the format before TOML, found TOML already", file);
    }

    @Test
    void shouldRefuseWhatCannotBeServed() throws IOException {
        String file = write(FORMER.replace("folder", "floder"));
        assertRefused(file + ":3: unknown key 'floder' in [machine]; did you mean folder?", file);
        assertRefused(folder + "/none: no such file", folder + "/none");
    }

    @Test
    void shouldWantOneFile() {
        assertRefused("expected one file, found none");
        assertRefused("expected one file, found 'b' too", "a", "b");
    }

    private String write(String text) throws IOException {
        return Files.writeString(folder.resolve("vm.conf"), text).toString();
    }

    private static void assertRefused(String message, String... operands) {
        String[] args = new String[operands.length + 1];
        args[0] = "config-to-toml";
        System.arraycopy(operands, 0, args, 1, operands.length);
        CommandRun run = CommandRun.of(args);
        assertEquals("virtio4j: " + message + "\n", run.err());
        assertEquals("", run.out());
        assertEquals(2, run.status());
    }
}
