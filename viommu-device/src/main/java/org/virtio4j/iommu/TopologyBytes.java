// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.iommu.TopologyConfig;

/** Items of a topology as the embedder gave them: this device shows their bytes, and does not look into them. */
final class TopologyBytes {

    private final int itemLength;
    private final byte[] items;

    /** Keeps a copy of checked items, see {@link SettingChecks#topology}. */
    TopologyBytes(int itemLength, byte[] items) {
        this.itemLength = itemLength;
        this.items = items.clone();
    }

    /** Bytes of the whole configuration space with these items. */
    int configSize() {
        return (int) TopologyConfig.ITEMS + items.length;
    }

    void putInto(MemorySegment config) {
        LittleEndian.putI32(config, TopologyConfig.OFFSET, (int) TopologyConfig.ITEMS);
        LittleEndian.putI32(config, TopologyConfig.NUM_ITEMS, items.length / itemLength);
        LittleEndian.putI32(config, TopologyConfig.ITEM_LENGTH, itemLength);
        MemorySegment.copy(items, 0, config, ValueLayout.JAVA_BYTE, TopologyConfig.ITEMS, items.length);
    }
}
