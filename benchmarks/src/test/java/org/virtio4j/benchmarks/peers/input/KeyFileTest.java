// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyFileTest {

    @TempDir
    private Path folder;

    @Test
    void shouldWriteLittleEndianWordsThatProgramsInOtherLanguagesRead() throws IOException {
        Path file = folder.resolve("keys");
        KeyFile.write(new Keys(new long[] {0x1000}, new long[] {0x1fff}, new long[] {0x5000}, new long[0],
                new long[] {1, 2, 3, 4}), file);
        assertEquals("766f763465797331" + "0100000000000000" + "0000000000000000" + "0100000000000000"
                + "0010000000000000" + "ff1f000000000000" + "0050000000000000"
                + "0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000",
                HexFormat.of().formatHex(Files.readAllBytes(file)));
    }

    @Test
    void shouldGiveBackWhatWasWritten() throws IOException {
        Path file = folder.resolve("keys");
        Keys written = KeyLayout.MIXED.keys(100);
        KeyFile.write(written, file);
        Keys read = KeyFile.read(file);
        assertArrayEquals(written.first(), read.first());
        assertArrayEquals(written.last(), read.last());
        assertArrayEquals(written.physical(), read.physical());
        assertArrayEquals(written.addresses(), read.addresses());
        assertArrayEquals(written.steps(), read.steps());
    }

    @Test
    void shouldRefuseAFileThatIsNone() throws IOException {
        Path file = Files.writeString(folder.resolve("text"), "something of more than four words, which is no magic");
        assertEquals(file + ": expected a file of keys, found something else",
                assertThrows(IOException.class, () -> KeyFile.read(file)).getMessage());
    }
}
