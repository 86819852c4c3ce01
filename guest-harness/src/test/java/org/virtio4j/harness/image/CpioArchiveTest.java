// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CpioArchiveTest {

    private static final String TRAILER = "070701" + "00000002" + "00000000" + "00000000" + "00000000" + "00000001"
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
