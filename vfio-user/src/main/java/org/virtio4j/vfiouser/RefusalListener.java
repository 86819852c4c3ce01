// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

/**
 * Is told what a client was refused, in words for the people who set it up. Clients print an error number at most, and
 * a guest whose memory was refused stands still.
 *
 * <p>Not every refusal is a fault. Clients ask for interrupts that a function does not have, and take EINVAL for
 * "none".
 */
@FunctionalInterface
public interface RefusalListener {

    /**
     * One command was answered with an error number. Called on the socket's thread when the answer has been sent; the
     * client's next command waits. What this throws is kept as {@link VfioUserSocket#failure}, and the client is still
     * served.
     *
     * @param command the name the protocol gives it, such as {@code DMA_MAP}; {@code command 99} for one without
     * @param errno   the name of the error number, such as {@code EINVAL}
     * @param reason  why, a sentence without a full stop. The same fault gives the same words, so that they can be
     *                counted: no address and no size, unless the system itself says it
     */
    void refused(String command, String errno, String reason);
}
