// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.tree.BlobHeader;
import org.virtio4j.wire.tree.PropertyHeader;
import org.virtio4j.wire.tree.ReservationEntry;
import org.virtio4j.wire.tree.StructureToken;

/**
 * Reads one blob. Nothing in the blob is believed before it is compared with the size of the array, and what is made of
 * the blob takes memory in proportion to that size: nodes, properties and the length of names are limited.
 */
final class BlobReader {

    /** Linux takes no deeper tree. */
    static final int DEEPEST = 64;
    static final int MOST_NODES = 1 << 16;
    static final int MOST_PROPERTIES = 1 << 18;
    static final int MOST_RESERVATIONS = 1 << 12;

    private final ByteBuffer blob;
    private final BlobBounds bounds;
    private final Map<Integer, String> names = new HashMap<>();
    private final Deque<TreeNode> open = new ArrayDeque<>();
    private @Nullable TreeNode root;
    private int nodes;
    private int properties;
    private int at;

    private BlobReader(byte[] blob) throws TreeFormatException {
        this.blob = ByteBuffer.wrap(blob);
        this.bounds = BlobBounds.of(this.blob);
    }

    static DeviceTree read(byte[] blob) throws TreeFormatException {
        BlobReader reader = new BlobReader(blob);
        List<MemoryReservation> reservations = reader.reservations();
        return new DeviceTree(reader.structure(), reservations, reader.bounds.bootCpu());
    }

    private List<MemoryReservation> reservations() throws TreeFormatException {
        List<MemoryReservation> reservations = new ArrayList<>();
        long entry = bounds.reservations();
        while (entry + ReservationEntry.SIZE <= bounds.total()) {
            long address = blob.getLong(Math.toIntExact(entry + ReservationEntry.ADDRESS));
            long length = blob.getLong(Math.toIntExact(entry + ReservationEntry.LENGTH));
            if (address == 0 && length == 0) {
                return reservations;
            }
            if (reservations.size() == MOST_RESERVATIONS) {
                throw new TreeFormatException(entry, "at most " + MOST_RESERVATIONS + " memory reservations", "more");
            }
            reservations.add(new MemoryReservation(address, length));
            entry += ReservationEntry.SIZE;
        }
        throw new TreeFormatException(entry, "a memory reservation or the end of their list", "the end of the blob");
    }

    private TreeNode structure() throws TreeFormatException {
        at = bounds.structure();
        while (true) {
            int start = at;
            int token = number("a token");
            switch (token) {
                case StructureToken.BEGIN_NODE -> begin(start);
                case StructureToken.PROPERTY -> property(start);
                case StructureToken.END_NODE -> end(start);
                case StructureToken.NOP -> { }
                case StructureToken.END -> {
                    return whole(start);
                }
                default -> throw new TreeFormatException(start, "a token (1, 2, 3, 4 or 9)",
                        "0x" + Integer.toHexString(token));
            }
        }
    }

    private void begin(int start) throws TreeFormatException {
        String name = text(at, bounds.structureEnd(), "the name of a node");
        skip(name.length() + 1);
        if (++nodes > MOST_NODES) {
            throw new TreeFormatException(start, "at most " + MOST_NODES + " nodes", "more");
        }
        if (open.size() == DEEPEST) {
            throw new TreeFormatException(start, "at most " + DEEPEST + " nodes inside each other", "more");
        }
        TreeNode node = new TreeNode(name);
        TreeNode parent = open.peek();
        if (parent == null) {
            requireRoot(start, name);
            root = node;
        } else {
            if (name.isEmpty() || parent.child(name).isPresent()) {
                throw new TreeFormatException(start, "a name that no node beside it has", "'" + name + "'");
            }
            parent.add(node);
        }
        open.push(node);
    }

    private void requireRoot(int start, String name) throws TreeFormatException {
        if (root != null) {
            throw new TreeFormatException(start, "one root", "a node '" + name + "' behind it");
        }
        if (!name.isEmpty()) {
            throw new TreeFormatException(start, "a root without a name", "'" + name + "'");
        }
    }

    private void property(int start) throws TreeFormatException {
        int length = number("the length of a value");
        int nameOffset = number("the place of a name");
        TreeNode node = open.peek();
        if (node == null || !node.children().isEmpty()) {
            throw new TreeFormatException(start, "properties at the beginning of a node only",
                    node == null ? "one outside" : "one behind a node");
        }
        if (length < 0 || length > bounds.structureEnd() - at) {
            throw new TreeFormatException(start + StructureToken.SIZE + PropertyHeader.LENGTH,
                    "a value that ends inside the structure block", Integer.toUnsignedLong(length) + " bytes");
        }
        if (++properties > MOST_PROPERTIES) {
            throw new TreeFormatException(start, "at most " + MOST_PROPERTIES + " properties", "more");
        }
        String name = propertyName(start, nameOffset);
        if (node.has(name)) {
            throw new TreeFormatException(start, "one property of a name in a node", "another '" + name + "'");
        }
        byte[] value = new byte[length];
        blob.get(at, value);
        node.put(name, value);
        skip(length);
    }

    private String propertyName(int start, int nameOffset) throws TreeFormatException {
        String known = names.get(nameOffset);
        if (known != null) {
            return known;
        }
        if (nameOffset < 0 || nameOffset >= bounds.stringsEnd() - bounds.strings()) {
            throw new TreeFormatException(start + StructureToken.SIZE + PropertyHeader.NAME_OFFSET,
                    "a place in the strings block", "0x" + Integer.toHexString(nameOffset));
        }
        int place = bounds.strings() + nameOffset;
        String name = text(place, bounds.stringsEnd(), "the name of a property");
        if (name.isEmpty()) {
            throw new TreeFormatException(place, "the name of a property", "none");
        }
        names.put(nameOffset, name);
        return name;
    }

    private void end(int start) throws TreeFormatException {
        if (open.isEmpty()) {
            throw new TreeFormatException(start, "no end of a node outside of nodes", "one");
        }
        open.pop();
    }

    private TreeNode whole(int start) throws TreeFormatException {
        if (root == null || !open.isEmpty()) {
            throw new TreeFormatException(start, "the end of all nodes before the end of the structure block",
                    root == null ? "no node" : open.size() + " that have not ended");
        }
        return root;
    }

    private int number(String what) throws TreeFormatException {
        if (bounds.structureEnd() - at < Integer.BYTES) {
            throw new TreeFormatException(at, what, "the end of the structure block");
        }
        int number = blob.getInt(at);
        at += Integer.BYTES;
        return number;
    }

    /** Goes behind data and its padding. The bytes of the padding do not matter, and a last one may be missing. */
    private void skip(int length) {
        int padded = length + (-length & (int) (BlobHeader.STRUCTURE_ALIGNMENT - 1));
        at += Math.min(padded, bounds.structureEnd() - at);
    }

    private String text(int start, int end, String what) throws TreeFormatException {
        StringBuilder text = new StringBuilder();
        for (int place = start; place < end; place++) {
            byte character = blob.get(place);
            if (character == 0) {
                return requireName(start, text.toString(), what);
            }
            text.append((char) (character & 0xff));
            if (text.length() > TreeNode.LONGEST_NAME) {
                throw new TreeFormatException(start, what + " of at most " + TreeNode.LONGEST_NAME + " bytes", "more");
            }
        }
        throw new TreeFormatException(start, what + " with a zero byte at its end", "the end of the block");
    }

    private static String requireName(int start, String name, String what) throws TreeFormatException {
        String fault = TreeNode.nameFault(name);
        if (fault != null) {
            throw new TreeFormatException(start, what + " of printable ASCII without spaces and slashes", fault);
        }
        return name;
    }
}
