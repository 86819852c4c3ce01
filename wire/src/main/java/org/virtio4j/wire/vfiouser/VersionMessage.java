// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/**
 * Body of {@link Command#VERSION} and of its reply.
 *
 * <pre>
 *      byte 0     2       4
 *     +-------+-------+-----------------------------+
 *     | major | minor | JSON text, ended by a NUL   |
 *     +-------+-------+-----------------------------+
 * </pre>
 *
 * <p>The text may be missing. It is an object with one member {@code capabilities}.
 */
public final class VersionMessage {
    /** Offset of the 2-byte major version. */
    public static final long MAJOR = 0;
    /** Offset of the 2-byte minor version. */
    public static final long MINOR = 2;
    /** Offset of the text, and bytes of a body without one. */
    public static final long TEXT = 4;

    private VersionMessage() {
    }
}
