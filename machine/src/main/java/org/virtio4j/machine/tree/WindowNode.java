// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioWindow;

/**
 * A window of virtio-mmio as its node in a device tree describes it.
 *
 * @param base where the window lies
 * @param size bytes of the window, unsigned; {@code VirtioMmioDevice.WINDOW_SIZE} for a device of this project
 * @param interrupts the cells of the property {@code interrupts}, as the interrupt controller wants them: the number
 *     alone for a PLIC; for a GIC 0, the number without the first 32 interrupts, and 4 for a level-triggered line
 * @param interruptParent phandle of the interrupt controller in the tree that the node is added to; none if the node's
 *     parents name the controller
 */
public record WindowNode(MmioBase base, long size, List<Integer> interrupts, Optional<Integer> interruptParent) {

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if the size is 0 or the window goes beyond 64 bits
     */
    public WindowNode {
        interrupts = List.copyOf(interrupts);
        if (size == 0 || Long.compareUnsigned(base.address() + (size - 1), base.address()) < 0) {
            throw new IllegalArgumentException("size=" + Long.toUnsignedString(size)
                    + ": must be at least 1, and the window at " + base + " must end within 64 bits");
        }
    }

    /**
     * A window whose interrupt goes to the controller that the node's parents name.
     *
     * @param address guest-physical address of the first byte, unsigned
     * @param size bytes of the window, unsigned
     * @param interrupts cells of the interrupt
     * @return the description
     */
    public static WindowNode of(long address, long size, int... interrupts) {
        return new WindowNode(new MmioBase(address), size, Arrays.stream(interrupts).boxed().toList(),
                Optional.empty());
    }

    /**
     * A window that is described for ACPI as well.
     *
     * @param window where it lies and how large it is; its interrupt is ACPI's
     * @param interrupts cells of the interrupt
     * @return the description
     */
    public static WindowNode of(MmioWindow window, int... interrupts) {
        return of(window.base().address(), window.size(), interrupts);
    }

    /**
     * The same window with another interrupt controller.
     *
     * @param phandle of the controller's node
     * @return the description
     */
    public WindowNode withInterruptParent(int phandle) {
        return new WindowNode(base, size, interrupts, Optional.of(phandle));
    }

    /** The node, with all but what depends on the IOMMU. */
    TreeNode node(boolean iommu, int addressCells, int sizeCells) {
        requireCells(addressCells, base.address());
        requireCells(sizeCells, size);
        TreeNode node = new TreeNode((iommu ? "iommu@" : "virtio@") + Long.toHexString(base.address()));
        int[] reg = new int[addressCells + sizeCells];
        put(reg, 0, addressCells, base.address());
        put(reg, addressCells, sizeCells, size);
        node.put("compatible", "virtio,mmio").put("reg", reg);
        interruptParent.ifPresent(controller -> node.put("interrupt-parent", controller));
        return node.put("interrupts", interrupts.stream().mapToInt(Integer::intValue).toArray());
    }

    private static void requireCells(int cells, long number) {
        if (cells < 1 || cells > 2 || (cells == 1 && number >>> Integer.SIZE != 0)) {
            throw new IllegalArgumentException("cells=" + cells + ": 0x" + Long.toHexString(number)
                    + " must fit into one or two cells of reg");
        }
    }

    private static void put(int[] reg, int at, int cells, long number) {
        reg[at + cells - 1] = (int) number;
        if (cells == 2) {
            reg[at] = (int) (number >>> Integer.SIZE);
        }
    }
}
