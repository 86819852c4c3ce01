// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Blobs from a stranger: each is read, or refused with the place of the fault. */
class HostileBlobTest {

    private static final int CASES = 100_000;

    @Test
    void shouldSayWhereTheHeaderIsWrong() {
        refused("byte 0x0: expected a header of 40 bytes, found 35 bytes", new byte[35]);
        refused("byte 0x0: expected 0xd00dfeed, found 0x0", new byte[40]);
        refused("byte 0x4: expected 40 to 78, found 79", header(4, 79));
        refused("byte 0x4: expected 40 to 78, found 4294967295", header(4, -1));
        refused("byte 0x8: expected 40 to 78, found 39", header(8, 39));
        refused("byte 0x8: expected a multiple of 4, found 58", header(8, 58));
        refused("byte 0xc: expected 40 to 78, found 80", header(12, 80));
        refused("byte 0x10: expected a multiple of 8, found 44", header(16, 44));
        refused("byte 0x14: expected version 16 or newer, found 15", header(20, 15));
        refused("byte 0x18: expected a blob that is compatible with version 17, found one that needs version 18",
                header(24, 18));
        refused("byte 0x20: expected 0 to 2, found 3", header(32, 3));
        refused("byte 0x24: expected 0 to 22, found 23", header(36, 23));
    }

    @Test
    void shouldSayWhereTheStructureIsWrong() {
        refused("byte 0x38: expected a token, found the end of the structure block", new BlobBytes());
        refused("byte 0x38: expected a token (1, 2, 3, 4 or 9), found 0x5", new BlobBytes().words(5));
        refused("byte 0x38: expected the end of all nodes before the end of the structure block, found no node",
                new BlobBytes().words(9));
        refused("byte 0x40: expected the end of all nodes before the end of the structure block, "
                + "found 1 that have not ended", new BlobBytes().words(1, 0, 9));
        refused("byte 0x38: expected no end of a node outside of nodes, found one", new BlobBytes().words(2));
        refused("byte 0x38: expected properties at the beginning of a node only, found one outside",
                new BlobBytes().words(3, 0, 0, 9));
        refused("byte 0x4c: expected properties at the beginning of a node only, found one behind a node",
                new BlobBytes().words(1, 0, 1).text("n\0").words(2, 3, 0, 0, 2, 9).strings("a\0"));
        refused("byte 0x44: expected one root, found a node '' behind it", new BlobBytes().words(1, 0, 2, 1, 0, 2, 9));
        refused("byte 0x38: expected a root without a name, found 'n'",
                new BlobBytes().words(1).text("n\0").words(2, 9));
    }

    @Test
    void shouldSayWhichNameIsWrong() {
        refused("byte 0x3c: expected the name of a node with a zero byte at its end, found the end of the block",
                new BlobBytes().words(1, 0x61616161));
        refused("byte 0x44: expected the name of a node of printable ASCII without spaces and slashes, "
                + "found a name with the character 0xe4",
                new BlobBytes().words(1, 0, 1).text("\u00e4\0").words(2, 2, 9));
        refused("byte 0x44: expected the name of a node of at most 255 bytes, found more",
                new BlobBytes().words(1, 0, 1).text("a".repeat(256) + "\0").words(2, 2, 9));
        refused("byte 0x40: expected a name that no node beside it has, found ''",
                new BlobBytes().words(1, 0, 1, 0, 2, 2, 9));
        refused("byte 0x4c: expected a name that no node beside it has, found 'n'",
                new BlobBytes().words(1, 0, 1).text("n\0").words(2, 1).text("n\0").words(2, 2, 9));
        refused("byte 0x48: expected a place in the strings block, found 0x2",
                new BlobBytes().words(1, 0, 3, 0, 2, 2, 9).strings("a\0"));
        refused("byte 0x55: expected the name of a property, found none",
                new BlobBytes().words(1, 0, 3, 0, 1, 2, 9).strings("a\0"));
        refused("byte 0x54: expected the name of a property with a zero byte at its end, found the end of the block",
                new BlobBytes().words(1, 0, 3, 0, 0, 2, 9).strings("a"));
        refused("byte 0x4c: expected one property of a name in a node, found another 'a'",
                new BlobBytes().words(1, 0, 3, 0, 0, 3, 0, 0, 2, 9).strings("a\0"));
    }

    @Test
    void shouldRefuseValueBehindTheStructure() {
        refused("byte 0x44: expected a value that ends inside the structure block, found 9 bytes",
                new BlobBytes().words(1, 0, 3, 9, 0, 2, 9).strings("a\0"));
        refused("byte 0x44: expected a value that ends inside the structure block, found 4294967295 bytes",
                new BlobBytes().words(1, 0, 3, -1, 0, 2, 9).strings("a\0"));
    }

    @Test
    void shouldRefuseReservationsWithoutEnd() {
        byte[] blob = new BlobBytes().words(1, 0, 2, 9).blob();
        Arrays.fill(blob, 40, 56, (byte) 1);
        refused("byte 0x48: expected a memory reservation or the end of their list, found the end of the blob", blob);
    }

    @Test
    void shouldRefuseWhatIsTooDeepOrTooMuch() {
        BlobBytes deep = new BlobBytes().words(1, 0);
        for (int count = 1; count <= 64; count++) {
            deep.words(1).text("n\0");
        }
        refused("expected at most 64 nodes inside each other, found more", deep);
        BlobBytes many = new BlobBytes().words(1, 0);
        for (int count = 1; count <= 1 << 16; count++) {
            many.words(1).text(Integer.toHexString(count) + "\0").words(2);
        }
        refused("expected at most 65536 nodes, found more", many);
        StringBuilder names = new StringBuilder();
        BlobBytes full = new BlobBytes().words(1, 0);
        for (int count = 0; count <= 1 << 18; count++) {
            full.words(3, 0, names.length());
            names.append(Integer.toHexString(count)).append('\0');
        }
        refused("expected at most 262144 properties, found more", full.strings(names.toString()));
        ByteBuffer reserved = ByteBuffer.allocate(56 + (16 << 12)).put(new BlobBytes().words(1, 0, 2, 9).blob(), 0, 40);
        reserved.putInt(4, reserved.capacity()).putInt(32, 0).putInt(12, 40);
        Arrays.fill(reserved.array(), 40, reserved.capacity(), (byte) 1);
        refused("expected at most 4096 memory reservations, found more", reserved.array());
    }

    /** Each name is the end of a longer one. A writer that searches all names takes minutes, and the tree grows. */
    @Test
    void shouldWriteManyNamesThatShareTheirEnds() throws TreeFormatException {
        StringBuilder names = new StringBuilder();
        BlobBytes full = new BlobBytes().words(1, 0);
        for (int group = 0; group < 1 << 9; group++) {
            String end = Integer.toHexString(group);
            names.append("n".repeat(250)).append(end).append('\0');
            for (int more = 1; more <= 250; more++) {
                full.words(3, 0, names.length() - 1 - end.length() - more);
            }
        }
        byte[] blob = full.words(2, 9).strings(names.toString()).blob();
        byte[] again = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> DeviceTree.read(blob).write());
        assertTrue(again.length <= blob.length, () -> blob.length + " bytes became " + again.length);
        assertArrayEquals(again, DeviceTree.read(again).write());
    }

    /** Every prefix of a blob, whether or not the header says how long it is. */
    @Test
    void shouldRefuseCutOffBlobs() {
        byte[] whole = new RandomTree(new Random(1)).next().write();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(TreeFormatException.class, () -> DeviceTree.read(cut));
            if (length >= 8) {
                ByteBuffer.wrap(cut).putInt(4, length);
                assertThrows(TreeFormatException.class, () -> DeviceTree.read(cut));
            }
        }
    }

    @Test
    void shouldSurviveDamage() {
        Random random = new Random(RandomTree.seed());
        int read = 0;
        for (int count = 0; count < CASES; count++) {
            byte[] blob = new RandomTree(random).next().write();
            for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                damage(blob, random);
            }
            try {
                byte[] again = DeviceTree.read(blob).write();
                assertTrue(again.length <= 2 * blob.length + 100, "a tree grows");
                read++;
            } catch (TreeFormatException refusal) {
                assertTrue(refusal.offset() >= 0 && refusal.offset() <= blob.length, refusal.getMessage());
                assertTrue(String.valueOf(refusal.getMessage()).contains(refusal.expected()), refusal.getMessage());
            }
        }
        int all = read;
        assertTrue(all > CASES / 100 && all < CASES - CASES / 100, () -> all + " of " + CASES + " were read");
    }

    private static void damage(byte[] blob, Random random) {
        int word = random.nextInt(blob.length / 4) * 4;
        ByteBuffer bytes = ByteBuffer.wrap(blob);
        switch (random.nextInt(4)) {
            case 0 -> blob[random.nextInt(blob.length)] = (byte) random.nextInt();
            case 1 -> bytes.putInt(word, random.nextInt(12));
            case 2 -> bytes.putInt(word, random.nextInt());
            default -> bytes.putInt(word, bytes.getInt(word) + random.nextInt(-8, 9));
        }
    }

    private static byte[] header(int offset, int value) {
        byte[] blob = new BlobBytes().words(1, 0, 2, 9, 0).strings("a\0").blob();
        ByteBuffer.wrap(blob).putInt(offset, value);
        return blob;
    }

    private static void refused(String message, BlobBytes blob) {
        refused(message, blob.blob());
    }

    private static void refused(String message, byte[] blob) {
        TreeFormatException refusal = assertThrows(TreeFormatException.class, () -> DeviceTree.read(blob));
        if (message.startsWith("byte")) {
            assertEquals("device tree, " + message, refusal.getMessage());
        } else {
            assertTrue(String.valueOf(refusal.getMessage()).endsWith(message), refusal.getMessage());
        }
    }
}
