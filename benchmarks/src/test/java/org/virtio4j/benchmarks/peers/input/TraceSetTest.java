// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.CommandFailure;

class TraceSetTest {

    @TempDir
    private Path folder;

    @Test
    void shouldTakeWhatWasAskedOfTheBusiestDomain() throws CommandFailure, IOException {
        assertArrayEquals(new long[] {
                Keys.MAP, 0x1000, 0x1fff, 0x5000,
                Keys.TRANSLATE, 0x1004, 0, 0,
                Keys.UNMAP, 0x1000, 0x1fff, 0,
        }, steps("""
                A 1 8 0
                A 2 9 0
                M 1 1000 1fff 5000 3 0
                M 2 0 fff 0 3 0
                T 8 1004 1 5004
                T 8 fee00000 2 m
                U 1 1000 1fff 0 1
                """));
    }

    @Test
    void shouldLeaveOutWhatWasRefused() throws CommandFailure, IOException {
        assertArrayEquals(new long[] {Keys.MAP, 0, 0xfff, 0, Keys.MAP, 0x2000, 0x2fff, 0},
                steps("A 1 8 0\nM 1 0 fff 0 3 0\nM 1 0 fff 0 3 4\nM 1 2000 2fff 0 3 0\n"));
    }

    @Test
    void shouldEmptyADomainThatItsLastEndpointLeaves() throws CommandFailure, IOException {
        long[] emptied = {Keys.MAP, 0, 0xfff, 0, Keys.UNMAP, 0, Long.MAX_VALUE, 0};
        assertArrayEquals(emptied, steps("A 1 8 0\nM 1 0 fff 0 3 0\nA 2 8 0\n"));
        assertArrayEquals(emptied, steps("A 1 8 0\nM 1 0 fff 0 3 0\nZ\n"));
        assertArrayEquals(emptied, steps("A 1 8 0\nM 1 0 fff 0 3 0\nS 0\n"));
        assertArrayEquals(new long[] {Keys.MAP, 0, 0xfff, 0},
                steps("A 1 8 0\nA 1 9 0\nM 1 0 fff 0 3 0\nA 2 8 0\nS 15\n"));
    }

    @Test
    void shouldSayHowManyMappingsLiveAtATime() throws CommandFailure, IOException {
        assertEquals("guest, at most 2 live", TraceSet.read(trace(
                "A 1 8 0\nM 1 0 fff 0 3 0\nU 1 0 fff 0 1\nM 1 0 fff 0 3 0\nM 1 1000 1fff 0 3 0\n")).geometry());
    }

    @Test
    void shouldRefuseATraceInWhichNothingIsAskedFor() throws IOException {
        Path file = trace("A 1 8 0\n");
        assertEquals(file + ": expected requests of a guest, found none",
                assertThrows(CommandFailure.class, () -> TraceSet.read(file)).getMessage());
    }

    private long[] steps(String trace) throws CommandFailure, IOException {
        return TraceSet.read(trace(trace)).keys().get().steps();
    }

    private Path trace(String text) throws IOException {
        return Files.writeString(folder.resolve("guest.trace"), text);
    }
}
