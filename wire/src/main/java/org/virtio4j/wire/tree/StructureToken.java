// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.tree;

/**
 * The 4-byte tokens of the structure block (Devicetree Specification 0.4, section 5.4). Zero bytes follow the data of a
 * token up to the next multiple of {@link BlobHeader#STRUCTURE_ALIGNMENT}.
 *
 * <pre>
 *   begin node   name, zero byte                           properties, nodes, end node
 *   property     4-byte length, 4-byte name offset, value
 * </pre>
 */
public final class StructureToken {
    /** A node begins. Its name follows, with a zero byte at the end; the root's name is empty. */
    public static final int BEGIN_NODE = 1;
    /** The node that began last and has not ended ends. */
    public static final int END_NODE = 2;
    /** A property of the node that began last. {@link PropertyHeader} and the value follow. */
    public static final int PROPERTY = 3;
    /** Nothing: a program may overwrite a node or a property with these. */
    public static final int NOP = 4;
    /** The structure block ends. */
    public static final int END = 9;
    /** Bytes of a token. */
    public static final long SIZE = 4;

    private StructureToken() {
    }
}
