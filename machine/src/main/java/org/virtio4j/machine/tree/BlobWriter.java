// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.virtio4j.wire.tree.BlobHeader;
import org.virtio4j.wire.tree.ReservationEntry;
import org.virtio4j.wire.tree.StructureToken;

/** Writes one blob without a free byte between or behind the blocks. A name that ends like another shares its bytes. */
final class BlobWriter {

    private final ByteArrayOutputStream structure = new ByteArrayOutputStream();
    private final StringBuilder strings = new StringBuilder();
    private final Map<String, Integer> nameOffsets = new HashMap<>();

    private BlobWriter() {
    }

    static byte[] write(DeviceTree tree) {
        BlobWriter writer = new BlobWriter();
        writer.placeNames(tree);
        writer.node(tree.root());
        writer.number(StructureToken.END);
        return writer.blob(tree);
    }

    private void node(TreeNode node) {
        number(StructureToken.BEGIN_NODE);
        structure.writeBytes(node.name().getBytes(StandardCharsets.US_ASCII));
        structure.write(0);
        pad();
        for (String property : node.properties()) {
            byte[] value = node.value(property);
            number(StructureToken.PROPERTY);
            number(value.length);
            number(nameOffsets.getOrDefault(property, 0));
            structure.writeBytes(value);
            pad();
        }
        node.children().forEach(this::node);
        number(StructureToken.END_NODE);
    }

    /**
     * Places the names. They are ordered by their last characters, so that a name directly follows one that ends with
     * it, if there is any, and is compared with that one alone. The names of a stranger's tree take no more time than
     * it takes to sort them.
     */
    private void placeNames(DeviceTree tree) {
        NavigableMap<String, String> byEnd = new TreeMap<>();
        tree.nodes().flatMap(node -> node.properties().stream())
                .forEach(name -> byEnd.putIfAbsent(new StringBuilder(name).reverse().toString(), name));
        String before = "";
        int offset = 0;
        for (String name : byEnd.descendingMap().values()) {
            if (before.endsWith(name)) {
                offset += before.length() - name.length();
            } else {
                offset = strings.length();
                strings.append(name).append('\0');
            }
            nameOffsets.put(name, offset);
            before = name;
        }
    }

    private void number(int number) {
        structure.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(number).array());
    }

    private void pad() {
        while (structure.size() % BlobHeader.STRUCTURE_ALIGNMENT != 0) {
            structure.write(0);
        }
    }

    private byte[] blob(DeviceTree tree) {
        long reservations = (tree.reservations().size() + 1) * ReservationEntry.SIZE;
        int structureOffset = Math.toIntExact(BlobHeader.SIZE + reservations);
        int stringsOffset = Math.addExact(structureOffset, structure.size());
        ByteBuffer blob = ByteBuffer.allocate(Math.addExact(stringsOffset, strings.length()));
        put(blob, BlobHeader.MAGIC, BlobHeader.MAGIC_NUMBER);
        put(blob, BlobHeader.TOTAL_SIZE, blob.capacity());
        put(blob, BlobHeader.STRUCTURE_OFFSET, structureOffset);
        put(blob, BlobHeader.STRINGS_OFFSET, stringsOffset);
        put(blob, BlobHeader.RESERVATIONS_OFFSET, Math.toIntExact(BlobHeader.SIZE));
        put(blob, BlobHeader.VERSION, BlobHeader.VERSION_17);
        put(blob, BlobHeader.LAST_COMPATIBLE_VERSION, BlobHeader.VERSION_16);
        put(blob, BlobHeader.BOOT_CPU, tree.bootCpu());
        put(blob, BlobHeader.STRINGS_SIZE, strings.length());
        put(blob, BlobHeader.STRUCTURE_SIZE, structure.size());
        blob.position(Math.toIntExact(BlobHeader.SIZE));
        tree.reservations().forEach(entry -> blob.putLong(entry.address()).putLong(entry.length()));
        return blob.put(structureOffset, structure.toByteArray())
                .put(stringsOffset, strings.toString().getBytes(StandardCharsets.US_ASCII)).array();
    }

    private static void put(ByteBuffer blob, long field, int value) {
        blob.putInt(Math.toIntExact(field), value);
    }
}
