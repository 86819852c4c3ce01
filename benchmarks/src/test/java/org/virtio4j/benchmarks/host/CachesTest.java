// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CachesTest {

    @TempDir
    private Path folder;

    @Test
    void shouldReadWhatLinuxSays() throws IOException {
        cache(0, "1", "Data", "48K");
        cache(1, "1", "Instruction", "32K");
        cache(2, "2", "Unified", "2048K");
        cache(3, "3", "Unified", "300M");
        assertEquals(new Caches(2 << 20, 300 << 20, true), Caches.read(folder));
    }

    @Test
    void shouldTakeTheSecondLevelForTheLastWhenThereIsNoThird() throws IOException {
        cache(0, "2", "Unified", "512K");
        assertEquals(new Caches(512 << 10, 512 << 10, true), Caches.read(folder));
    }

    @Test
    void shouldAssumeCommonSizesWhenNothingIsSaid() {
        assertFalse(Caches.read(folder).measured());
    }

    @Test
    void shouldAssumeCommonSizesWhenWhatIsSaidIsNoNumber() throws IOException {
        cache(0, "2", "Unified", "much");
        assertFalse(Caches.read(folder).measured());
    }

    @Test
    void shouldPlaceWhatFits() {
        Caches caches = new Caches(100, 1000, true);
        assertEquals("inside L2", caches.place(100));
        assertEquals("inside the LLC", caches.place(101));
        assertEquals("beyond the LLC", caches.place(1001));
    }

    private void cache(int index, String level, String type, String size) throws IOException {
        Path cache = Files.createDirectory(folder.resolve("index" + index));
        Files.writeString(cache.resolve("level"), level + "\n");
        Files.writeString(cache.resolve("type"), type + "\n");
        Files.writeString(cache.resolve("size"), size + "\n");
    }
}
