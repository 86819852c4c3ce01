// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.virtio4j.os.memory.NativeMemory;

/** In which mode the table's tests run: the build runs them in both, and without native access. */
class NodeMemoryTest {

    private static final boolean DEMANDED = !System.getProperty("virtio4j.table.checked", "false").equals("false");

    @Test
    void shouldBeCheckedWhereThatIsDemandedOrNativeAccessIsOff() {
        System.out.println("NodeMemoryTest checked=" + NodeMemory.isChecked());
        assertEquals(DEMANDED || !NativeMemory.available(), NodeMemory.isChecked());
    }

    @Test
    void shouldThrowWhereAnAddressIsWrongInCheckedMode() {
        assumeTrue(NodeMemory.isChecked(), "the process would end");
        NodeMemory memory = new NodeMemory(Arena.ofAuto().allocate(Leaf.SIZE, Node.ALIGNMENT), null);
        long beyond = memory.node(1 << 30);
        assertThrows(IndexOutOfBoundsException.class, () -> memory.i64(beyond));
        assertThrows(IndexOutOfBoundsException.class, () -> Node.placeFor(memory, beyond, 1));
        assertThrows(IndexOutOfBoundsException.class, () -> Leaf.floor(memory, beyond, 1));
    }
}
