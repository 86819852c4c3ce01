// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {

    /** The archive's end is an entry with no inode. */
    private static final String TRAILER = "070701" + "00000000" + "00000000" + "00000000" + "00000000" + "00000001"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000000" + "00000000" + "0000000b" + "00000000"
            + "TRAILER!!!\0" + "\0\0\0";

    /** Numbers as the kernel's documentation has them: hexadecimal, mode as in stat(2). */
    @Test
    void shouldWriteFilesAsTheKernelReadsThem() {
        assertEquals("070701" + "00000001" + "000081a4" + "00000000" + "00000000" + "00000001" + "00000000"
                + "00000005" + "00000000" + "00000000" + "00000000" + "00000000" + "00000002" + "00000000"
                + "f\0" + "hello" + "\0\0\0" + TRAILER,
                text(new CpioArchive().file("f", bytes("hello")).finish()));
    }

    @Test
    void shouldWriteDevicesWithTheirNumbers() {
        assertEquals("070701" + "00000001" + "00002180" + "00000000" + "00000000" + "00000001" + "00000000"
                + "00000000" + "00000000" + "00000000" + "00000005" + "00000001" + "0000000c" + "00000000"
                + "dev/console\0" + "\0\0" + TRAILER,
                text(new CpioArchive().characterDevice("dev/console", 5, 1).finish()));
    }

    @Test
    void shouldWriteLinksFoldersAndProgramsByTheirModes() {
        assertEquals("0000a1ff", mode(new CpioArchive().link("sh", "busybox")));
        assertEquals("000041ed", mode(new CpioArchive().directory("bin")));
        assertEquals("000081ed", mode(new CpioArchive().program("init", bytes("#!"))));
    }

    /** Inodes tell hard links from files, so each entry needs its own. */
    @Test
    void shouldNumberTheEntries() {
        String archive = text(new CpioArchive().directory("a").file("a/b", bytes("12345678")).finish());
        assertEquals("00000001", archive.substring(6, 14));
        assertEquals("070701" + "00000002", archive.substring(112, 126));
    }

    @Test
    void shouldNameFilesInUtf8() {
        byte[] archive = new CpioArchive().directory("\u00fc").finish();
        assertArrayEquals(new byte[] {(byte) 0xc3, (byte) 0xbc, 0}, Arrays.copyOfRange(archive, 110, 113));
        assertEquals("00000003", text(archive).substring(94, 102));
    }

    @Test
    void shouldGiveTheSameArchiveForTheSameFiles() {
        assertArrayEquals(new CpioArchive().directory("a").program("a/b", bytes("c")).link("d", "a/b").finish(),
                new CpioArchive().directory("a").program("a/b", bytes("c")).link("d", "a/b").finish());
    }

    @Test
    void shouldKnowWhatWasAdded() {
        CpioArchive archive = new CpioArchive().directory("a").file("a/b", bytes(""));
        assertTrue(archive.has("a/b"));
        assertFalse(archive.has("b"));
    }

    private static String mode(CpioArchive archive) {
        return text(archive.finish()).substring(14, 22);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
