// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeviceTreeTest {

    private static final int TREES = 2_000;

    /** Compared by hand with the tables of section 5. */
    @Test
    void shouldWriteTheFormatOfSection5() {
        TreeNode root = new TreeNode("").put("ab", 1).add(new TreeNode("c@1").put("b", "x"));
        assertEquals(digits("d00dfeed 00000087 00000048 00000084 00000028 00000011 00000010 00000007 00000003 0000003c"
                        + " 0000000040000000 0000000000001000 0000000000000000 0000000000000000"
                        + " 00000001 00000000 00000003 00000004 00000000 00000001"
                        + " 00000001 63403100 00000003 00000002 00000001 78000000 00000002 00000002 00000009"
                        + " 616200"),
                HexFormat.of().formatHex(new DeviceTree(root, List.of(new MemoryReservation(0x4000_0000, 0x1000)), 7)
                        .write()));
    }

    @Test
    void shouldReadWhatItWrites() throws TreeFormatException {
        RandomTree random = new RandomTree(new Random(RandomTree.seed()));
        for (int count = 0; count < TREES; count++) {
            DeviceTree tree = random.next();
            byte[] blob = tree.write();
            assertEquals(TreeText.of(tree), TreeText.of(DeviceTree.read(blob)));
            assertArrayEquals(blob, DeviceTree.read(blob).write());
        }
    }

    @Test
    void shouldShrinkBlobWithFreeSpace() throws TreeFormatException {
        byte[] tight = new DeviceTree(new TreeNode("").put("a", 1), List.of(), 0).write();
        byte[] dumped = Arrays.copyOf(tight, 1 << 20);
        dumped[5] = 0x10;
        dumped[6] = 0;
        dumped[7] = 0;
        assertArrayEquals(tight, DeviceTree.read(dumped).write());
    }

    @Test
    void shouldShareNames() {
        TreeNode root = new TreeNode("").put("status", "okay");
        int one = new DeviceTree(new TreeNode("").add(new TreeNode("n").put("status", "okay")), List.of(), 0)
                .write().length;
        int two = new DeviceTree(root.add(new TreeNode("n").put("status", "okay")), List.of(), 0).write().length;
        assertEquals(3 * 4 + 8, two - one);
    }

    @Test
    void shouldSkipNops() throws TreeFormatException {
        byte[] blob = new BlobBytes().words(4, 1, 0, 4, 3, 4, 0, 5, 4, 1).text("n\0").words(4, 2, 4, 2, 4, 9)
                .strings("a\0").blob();
        DeviceTree tree = DeviceTree.read(blob);
        assertEquals(5, tree.root().cell("a").orElseThrow());
        assertTrue(tree.find("/n").isPresent());
    }

    @Test
    void shouldReadVersion16() throws TreeFormatException {
        byte[] blob = new BlobBytes().version(16, 16).words(1, 0, 3, 4, 0, 5, 2, 9).strings("a\0").blob();
        assertEquals(5, DeviceTree.read(blob).root().cell("a").orElseThrow());
    }

    @Test
    void shouldFindNodesByPathAndPhandle() {
        TreeNode pci = new TreeNode("pci@30000000").put("phandle", 7);
        TreeNode soc = new TreeNode("soc").add(pci).add(new TreeNode("uart@1")).add(new TreeNode("uart@2"));
        DeviceTree tree = new DeviceTree(new TreeNode("").add(soc)
                .add(new TreeNode("aliases").put("host", "/soc/pci@30000000").put("bus", "/soc")), List.of(), 0);
        for (String path : List.of("/soc/pci@30000000", "/soc/pci", "host", "bus/pci", "/soc/pci/")) {
            assertEquals(pci, tree.find(path).orElseThrow(), path);
        }
        for (String path : List.of("/soc/uart", "/soc/pci@3", "/pci", "nothing", "", "host/x")) {
            assertTrue(tree.find(path).isEmpty(), path);
        }
        assertEquals(pci, tree.find(7).orElseThrow());
        assertTrue(tree.find(8).isEmpty());
        assertEquals(8, tree.freePhandles(1));
        assertEquals(tree.root(), tree.find("/").orElseThrow());
    }

    @Test
    void shouldFindPhandlesBelowTheLargestPossible() {
        DeviceTree tree = new DeviceTree(new TreeNode("").put("phandle", -2)
                .add(new TreeNode("a").put("phandle", 2)).add(new TreeNode("b").put("linux,phandle", 5))
                .add(new TreeNode("c").put("phandle", -1)), List.of(), 0);
        assertEquals(1, tree.freePhandles(1));
        assertEquals(3, tree.freePhandles(2));
        assertEquals(6, tree.freePhandles(3));
        assertEquals(1, new DeviceTree().freePhandles(3));
    }

    @Test
    void shouldMergeAsAnOverlayDoes() {
        TreeNode node = new TreeNode("").put("a", 1).put("b", 2).add(new TreeNode("c").put("d", 3));
        node.merge(new TreeNode("").put("b", 4).add(new TreeNode("c").put("e", 5)).add(new TreeNode("f")));
        assertEquals(Set.of("a", "b"), node.properties());
        assertEquals(4, node.cell("b").orElseThrow());
        assertEquals(Set.of("d", "e"), node.child("c").orElseThrow().properties());
        assertTrue(node.child("f").isPresent());
    }

    @Test
    void shouldConvertValues() {
        assertArrayEquals(new long[] {0x4000_0000L, -1}, PropertyValue.longs(PropertyValue.ofLongs(0x4000_0000L, -1)));
        assertArrayEquals(new int[] {-1, 7}, PropertyValue.cells(PropertyValue.ofCells(-1, 7)));
        assertEquals(List.of("virtio,mmio", ""), PropertyValue.strings(PropertyValue.ofStrings("virtio,mmio", "")));
        assertThrows(IllegalArgumentException.class, () -> PropertyValue.ofStrings("a\0b"));
        assertThrows(IllegalArgumentException.class, () -> PropertyValue.cells(new byte[3]));
        assertThrows(IllegalArgumentException.class, () -> PropertyValue.longs(new byte[4]));
        assertThrows(IllegalArgumentException.class, () -> PropertyValue.strings(new byte[] {'a'}));
    }

    @Test
    void shouldRefuseNamesThatNoBlobCanHave() {
        for (String name : List.of("a b", "a/b", "a\0", "\u00e4", "a".repeat(256))) {
            assertThrows(IllegalArgumentException.class, () -> new TreeNode(name), name);
        }
        TreeNode node = new TreeNode("").add(new TreeNode("a"));
        assertThrows(IllegalArgumentException.class, () -> node.put("", 1));
        assertThrows(IllegalArgumentException.class, () -> node.add(new TreeNode("")));
        assertThrows(IllegalArgumentException.class, () -> node.add(new TreeNode("a")));
        assertThrows(IllegalArgumentException.class, () -> new MemoryReservation(0, 0));
        assertThrows(IllegalArgumentException.class, () -> new DeviceTree(new TreeNode("a"), List.of(), 0));
    }

    private static String digits(String text) {
        return text.replace(" ", "");
    }
}
