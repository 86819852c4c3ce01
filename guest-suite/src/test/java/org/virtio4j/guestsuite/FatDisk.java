// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * A file system of the kind FAT16 on a whole disk of 64 MiB. Files lie in its root, or one folder within another. Names
 * are of the old kind: eight characters, three behind the dot, capitals.
 */
final class FatDisk {

    private static final int BYTES = 64 << 20;
    private static final int SECTOR = 512;
    private static final int CLUSTER = 4096;
    private static final int CLUSTERS = 16_000;
    private static final int RESERVED = SECTOR;
    private static final int FAT_SECTORS = 64;
    private static final int ROOT_ENTRIES = 512;
    private static final int ENTRY = 32;
    private static final int ROOT = RESERVED + FAT_SECTORS * SECTOR;
    private static final int DATA = ROOT + ROOT_ENTRIES * ENTRY;
    private static final int FIRST_CLUSTER = 2;
    private static final int END_OF_FILE = 0xffff;
    private static final int BEYOND = 0xfff8;
    private static final byte FOLDER = 0x10;
    private static final int NAME = 11;

    private final ByteBuffer disk;
    private int nextCluster = FIRST_CLUSTER;

    private FatDisk(byte[] bytes) {
        disk = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** An empty one. */
    static FatDisk create() {
        FatDisk made = new FatDisk(new byte[BYTES]);
        made.disk.put(new byte[] {(byte) 0xeb, 0x3c, (byte) 0x90}).put("VIRTIO4J".getBytes(StandardCharsets.US_ASCII))
                .putShort((short) SECTOR).put((byte) (CLUSTER / SECTOR)).putShort((short) (RESERVED / SECTOR))
                .put((byte) 1).putShort((short) ROOT_ENTRIES).putShort((short) 0).put((byte) 0xf8)
                .putShort((short) FAT_SECTORS).putShort((short) 63).putShort((short) 16).putInt(0)
                .putInt((DATA + CLUSTERS * CLUSTER) / SECTOR).putShort((short) 0x80).put((byte) 0x29).putInt(1)
                .put("VIRTIO4J   FAT16   ".getBytes(StandardCharsets.US_ASCII));
        made.disk.putShort(SECTOR - 2, (short) 0xaa55);
        made.link(0, 0xfff8);
        made.link(1, END_OF_FILE);
        return made;
    }

    /** One that somebody may have written to. */
    static FatDisk read(Path file) throws IOException {
        return new FatDisk(Files.readAllBytes(file));
    }

    /** Adds a file to the root, or one in folders that have nothing else in them. */
    FatDisk with(String path, byte[] content) {
        String[] names = path.split("/", -1);
        byte[] below = content;
        for (int i = names.length - 1; i > 0; i--) {
            below = folderOf(entry(names[i], i == names.length - 1 ? 0 : FOLDER, place(below), below.length));
        }
        byte attributes = names.length == 1 ? 0 : FOLDER;
        int slot = ROOT;
        while (disk.get(slot) != 0) {
            slot += ENTRY;
        }
        disk.put(slot, entry(names[0], attributes, place(below), below.length));
        return this;
    }

    void write(Path file) throws IOException {
        Files.write(file, disk.array());
    }

    /** What is in a file of the root. */
    byte[] content(String name) {
        byte[] wanted = fatName(name);
        for (int slot = ROOT; slot < DATA; slot += ENTRY) {
            byte[] found = new byte[NAME];
            disk.get(slot, found);
            if (Arrays.equals(found, wanted)) {
                return chain(Short.toUnsignedInt(disk.getShort(slot + 26)), disk.getInt(slot + 28));
            }
        }
        throw new AssertionError("the disk has no file " + name);
    }

    private byte[] chain(int first, int length) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (int cluster = first; FIRST_CLUSTER <= cluster && cluster < BEYOND && content.size() < length;
                cluster = Short.toUnsignedInt(disk.getShort(RESERVED + 2 * cluster))) {
            content.write(disk.array(), position(cluster), Math.min(CLUSTER, length - content.size()));
        }
        return content.toByteArray();
    }

    /** Returns the first of the clusters, which follow each other. */
    private int place(byte[] content) {
        int first = nextCluster;
        int count = Math.max(1, (content.length + CLUSTER - 1) / CLUSTER);
        disk.put(position(first), content);
        for (int i = 1; i < count; i++) {
            link(first + i - 1, first + i);
        }
        link(first + count - 1, END_OF_FILE);
        nextCluster = first + count;
        return first;
    }

    /** Firmware does not ask for the entries of a folder that lead to itself and to where it lies. */
    private static byte[] folderOf(byte[] entry) {
        return Arrays.copyOf(entry, CLUSTER);
    }

    private static byte[] entry(String name, byte attributes, int cluster, int length) {
        return ByteBuffer.allocate(ENTRY).order(ByteOrder.LITTLE_ENDIAN).put(fatName(name)).put(attributes)
                .putShort(26, (short) cluster).putInt(28, attributes == FOLDER ? 0 : length).array();
    }

    private static byte[] fatName(String name) {
        String[] parts = name.split("\\.", 2);
        return String.format(Locale.ROOT, "%-8s%-3s", parts[0], parts.length == 2 ? parts[1] : "")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private void link(int cluster, int next) {
        disk.putShort(RESERVED + 2 * cluster, (short) next);
    }

    private static int position(int cluster) {
        return DATA + (cluster - FIRST_CLUSTER) * CLUSTER;
    }
}
