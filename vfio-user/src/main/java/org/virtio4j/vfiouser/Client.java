// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import org.virtio4j.vmm.os.Errno;
import org.virtio4j.vmm.os.LocalConnection;
import org.virtio4j.wire.vfiouser.Command;
import org.virtio4j.wire.vfiouser.MessageHeader;

/**
 * One client from its first message to its last. Each request is carried out before the next is looked at, and answered
 * with a result or an error number; nothing a client sends ends more than its own connection.
 */
final class Client {

    private final LocalConnection connection;
    private final Service service;
    private final Request request;
    private final Reply reply;
    private final Runnable received;
    private final Handshake handshake = new Handshake();

    Client(LocalConnection connection, Service service, Request request, Reply reply, Runnable received) {
        this.connection = connection;
        this.service = service;
        this.request = request;
        this.reply = reply;
        this.received = received;
    }

    /**
     * Serves until the client leaves.
     *
     * @throws IOException if the connection breaks
     */
    void serve() throws IOException {
        try {
            while (request.receive(connection)) {
                received.run();
                if (request.type() != MessageHeader.TYPE_REPLY) {
                    answer();
                }
                request.closeDescriptors();
                if (!request.isSizeValid()) {
                    return;
                }
            }
        } finally {
            request.closeDescriptors();
        }
    }

    /** Whether the client came far enough to change anything: who only looks whether somebody listens does not. */
    boolean shookHands() {
        return handshake.isDone();
    }

    private void answer() throws IOException {
        int errno = carryOut();
        if (errno != 0) {
            service.counters().refused();
        }
        if (request.wantsReply()) {
            reply.send(connection, request, errno);
        }
    }

    /** A mistake in a device is answered as a device that fails: a virtual CPU waits for the answer. */
    private int carryOut() {
        if (!request.isSizeValid() || request.type() != MessageHeader.TYPE_COMMAND) {
            return Errno.EINVAL;
        }
        if (!request.isWhole()) {
            return Errno.EMSGSIZE;
        }
        if (request.command() == Command.VERSION) {
            return handshake.version(request, reply);
        }
        if (!handshake.isDone()) {
            return Errno.EINVAL;
        }
        try {
            return service.carryOut(request, reply);
        } catch (RuntimeException mistake) {
            service.counters().failed(mistake);
            return Errno.EIO;
        }
    }
}
