// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import java.util.Locale;

/** Writes JSON (RFC 8259), indented, in the order of the calls. */
public final class JsonText {

    private final StringBuilder text = new StringBuilder();
    private String indent = "\n";
    private boolean first = true;

    /** Nothing yet. */
    public JsonText() {
    }

    /**
     * Begins an object or an array.
     *
     * @param bracket an opening one
     * @return this
     */
    public JsonText open(char bracket) {
        text.append(bracket);
        indent += "  ";
        first = true;
        return this;
    }

    /**
     * Ends an object or an array.
     *
     * @param bracket a closing one
     * @return this
     */
    public JsonText close(char bracket) {
        indent = indent.substring(0, indent.length() - 2);
        if (!first) {
            text.append(indent);
        }
        text.append(bracket);
        first = false;
        return this;
    }

    /**
     * Begins an element of an array; its value follows.
     *
     * @return this
     */
    public JsonText element() {
        text.append(first ? "" : ",").append(indent);
        first = false;
        return this;
    }

    /**
     * Begins a member of an object; its value follows.
     *
     * @param name of the member
     * @return this
     */
    public JsonText key(String name) {
        element();
        string(name);
        text.append(": ");
        return this;
    }

    /**
     * Writes a whole number.
     *
     * @param number the value
     * @return this
     */
    public JsonText value(long number) {
        text.append(number);
        return this;
    }

    /**
     * Writes a number with six decimals.
     *
     * @param number the value, finite
     * @return this
     */
    public JsonText value(double number) {
        text.append(String.format(Locale.ROOT, "%.6f", number));
        return this;
    }

    /**
     * Writes a truth value.
     *
     * @param truth the value
     * @return this
     */
    public JsonText value(boolean truth) {
        text.append(truth);
        return this;
    }

    /**
     * Writes null.
     *
     * @return this
     */
    public JsonText nothing() {
        text.append("null");
        return this;
    }

    /**
     * Writes a string.
     *
     * @param value the characters, escaped as needed
     * @return this
     */
    public JsonText string(String value) {
        text.append('"');
        value.chars().forEach(this::append);
        text.append('"');
        return this;
    }

    /**
     * Writes what is JSON already.
     *
     * @param json a whole value
     * @return this
     */
    public JsonText raw(String json) {
        text.append(json.strip().replace("\n", indent));
        return this;
    }

    @Override
    public String toString() {
        return text + "\n";
    }

    /** Beyond ASCII everything is escaped too, so that no reader must guess an encoding. */
    private void append(int unit) {
        if (unit == '"' || unit == '\\') {
            text.append('\\').append((char) unit);
        } else if (unit < ' ' || unit > '~') {
            text.append(String.format(Locale.ROOT, "\\u%04x", unit));
        } else {
            text.append((char) unit);
        }
    }
}
