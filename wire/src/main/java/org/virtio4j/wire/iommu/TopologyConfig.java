// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.iommu;

/**
 * Configuration space of an IOMMU device that describes its topology itself: the proposal "virtio-iommu on x86 and
 * non-devicetree platforms" of February 2020 (Jean-Philippe Brucker, second version). It is not part of virtio 1.4,
 * where the bytes from 36 on and the feature bit mean something else: see {@link IommuFeature#TOPOLOGY}.
 *
 * <p>The fields of {@link IommuConfig} up to {@code probe_size} lie where the standard has them. Nothing is writable.
 *
 * <pre>
 *      byte 0                    4                         8
 *    0 +-----------------------------------------------------+
 *      | page_size_mask                                      |
 *    8 +-----------------------------------------------------+
 *      | input_range.start                                   |
 *   16 +-----------------------------------------------------+
 *      | input_range.end                                     |
 *   24 +-------------------------+---------------------------+
 *      | domain_range.start      | domain_range.end          |
 *   32 +-------------------------+---------------------------+
 *      | probe_size              | offset                    |
 *   40 +-------------------------+---------------------------+
 *      | num_items               | item_length               |
 *   48 +-------------------------+---------------------------+  offset, usually 48
 *      | num_items items of item_length bytes each           |
 *      +---------------------- ... --------------------------+
 * </pre>
 *
 * <p>Every item begins with its type, so that a driver can skip what it does not know: {@link TopologyPciRange} or
 * {@link TopologyEndpoint}.
 */
public final class TopologyConfig {
    /** Offset of the 4-byte offset of the first item from the start of the configuration space. */
    public static final long OFFSET = 36;
    /** Offset of the 4-byte number of items. */
    public static final long NUM_ITEMS = 40;
    /** Offset of the 4-byte length in bytes of each item. */
    public static final long ITEM_LENGTH = 44;
    /** Where the items lie when they follow the fields at once, the lowest value of the field at {@link #OFFSET}. */
    public static final long ITEMS = 48;

    /** Offset of an item's 2-byte type. */
    public static final long ITEM_TYPE = 0;
    /** Bytes of an item that this proposal defines; a driver takes longer ones and ignores what it does not know. */
    public static final long ITEM_SIZE = 16;

    /** The item is a {@link TopologyPciRange}. */
    public static final int TYPE_PCI_RANGE = 1;
    /** The item is a {@link TopologyEndpoint}. */
    public static final int TYPE_ENDPOINT = 2;

    private TopologyConfig() {
    }
}
