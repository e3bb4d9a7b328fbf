import type { Schema } from '../../src/schema/judge/subschemas.js';

/** A schema in the form of a public API, and a body as its clients send it. */
export interface ContractCase {
  readonly name: string;
  readonly schema: Schema;
  readonly body: string;
}

const money = { type: 'number', minimum: 0, maximum: 1_000_000 };
const id = { type: 'string', pattern: '^[a-z]+_[A-Za-z0-9]{8,32}$' };
const text = (maxLength: number): Schema => ({ type: 'string', minLength: 1, maxLength });

/** As of a shop's API: line items, two addresses, money as decimals. */
const orderWithItems: ContractCase = {
  name: 'order with line items',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['id', 'created_at', 'currency', 'email', 'customer', 'line_items', 'total_price'],
    properties: {
      id: { type: 'integer', minimum: 1 },
      created_at: { type: 'string', format: 'date-time' },
      currency: { type: 'string', enum: ['EUR', 'USD', 'GBP', 'CHF', 'PLN'] },
      email: { type: 'string', format: 'email' },
      note: { type: ['string', 'null'], maxLength: 500 },
      test: { type: 'boolean' },
      total_price: money,
      total_tax: money,
      customer: {
        type: 'object',
        required: ['id', 'name'],
        properties: { id: { type: 'integer' }, name: text(100), phone: { type: 'string' } },
      },
      shipping_address: { $ref: '#/$defs/address' },
      billing_address: { $ref: '#/$defs/address' },
      line_items: {
        type: 'array',
        minItems: 1,
        maxItems: 500,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['sku', 'title', 'quantity', 'price'],
          properties: {
            sku: { type: 'string', pattern: '^[A-Z0-9-]{3,20}$' },
            title: text(200),
            quantity: { type: 'integer', minimum: 1, maximum: 9999 },
            price: money,
            taxable: { type: 'boolean' },
          },
        },
      },
    },
    $defs: {
      address: {
        type: 'object',
        additionalProperties: false,
        required: ['street', 'city', 'zip', 'country'],
        properties: {
          street: text(200),
          city: text(100),
          zip: { type: 'string', pattern: '^[0-9A-Z -]{3,10}$' },
          country: { type: 'string', pattern: '^[A-Z]{2}$' },
        },
      },
    },
  },
  body: JSON.stringify({
    id: 820982911946154500,
    created_at: '2026-11-28T15:31:07+01:00',
    currency: 'EUR',
    email: 'jon.doe@example.com',
    note: 'Please leave the parcel\nwith the neighbours ("Müller")',
    test: false,
    total_price: 238.47,
    total_tax: 38.07,
    customer: { id: 115310627314723950, name: 'Jon Doe', phone: '+49 170 1234567' },
    shipping_address: { street: 'Musterstraße 12', city: 'Köln', zip: '50667', country: 'DE' },
    billing_address: {
      street: '123 Billing Street',
      city: 'Kentucky',
      zip: '40202',
      country: 'US',
    },
    line_items: [
      { sku: 'IPOD2008-PINK', title: 'IPod Nano - 8GB', quantity: 1, price: 199, taxable: true },
      { sku: 'CASE-77', title: 'Leather case, brown', quantity: 2, price: 12.5, taxable: true },
      { sku: 'GIFT-WRAP', title: 'Gift wrapping', quantity: 3, price: 4.49, taxable: false },
    ],
  }),
};

/** As of a payment provider: one of several events, told apart by a constant. */
const paymentEvent: ContractCase = {
  name: 'payment event',
  schema: {
    type: 'object',
    required: ['id', 'object', 'created', 'livemode', 'type', 'data'],
    properties: {
      id,
      object: { const: 'event' },
      api_version: { type: 'string', format: 'date' },
      created: { type: 'integer', minimum: 0 },
      livemode: { type: 'boolean' },
      pending_webhooks: { type: 'integer', minimum: 0 },
      type: { type: 'string', pattern: '^[a-z_]+(?:\\.[a-z_]+)+$', maxLength: 64 },
      request: {
        type: ['object', 'null'],
        properties: {
          id: { type: ['string', 'null'] },
          idempotency_key: { type: ['string', 'null'], format: 'uuid' },
        },
      },
      data: {
        type: 'object',
        required: ['object'],
        properties: {
          object: {
            oneOf: [{ $ref: '#/$defs/charge' }, { $ref: '#/$defs/refund' }],
          },
        },
      },
    },
    $defs: {
      amount: { type: 'integer', minimum: 1, maximum: 99_999_999 },
      currency: { type: 'string', pattern: '^[a-z]{3}$' },
      charge: {
        type: 'object',
        required: ['object', 'id', 'amount', 'currency', 'paid'],
        properties: {
          object: { const: 'charge' },
          id,
          amount: { $ref: '#/$defs/amount' },
          currency: { $ref: '#/$defs/currency' },
          paid: { type: 'boolean' },
          captured: { type: 'boolean' },
          status: { enum: ['succeeded', 'pending', 'failed'] },
          receipt_email: { type: ['string', 'null'], format: 'email' },
          description: { type: ['string', 'null'], maxLength: 1000 },
          metadata: {
            type: 'object',
            additionalProperties: { type: 'string', maxLength: 500 },
            maxProperties: 50,
          },
        },
      },
      refund: {
        type: 'object',
        required: ['object', 'id', 'amount', 'charge'],
        properties: {
          object: { const: 'refund' },
          id,
          amount: { $ref: '#/$defs/amount' },
          charge: id,
        },
      },
    },
  },
  body: JSON.stringify({
    id: 'evt_1NG8Du2eZvKYlo2CUI79vXWy',
    object: 'event',
    api_version: '2026-06-30',
    created: 1764343867,
    data: {
      object: {
        id: 'ch_3MmlLrLkdIwHu7ix0snN0B15',
        object: 'charge',
        amount: 109900,
        currency: 'usd',
        paid: true,
        captured: true,
        status: 'succeeded',
        receipt_email: 'jenny.rosen@example.com',
        description: 'Order 6735, 3 items',
        metadata: { order_id: '6735', channel: 'web', campaign: 'black-friday' },
        balance_transaction: 'txn_3MmlLrLkdIwHu7ix0uke3Ezy',
        refunded: false,
      },
    },
    livemode: true,
    pending_webhooks: 2,
    request: { id: 'req_ucU2a1Vn4kQxyz', idempotency_key: '7b1ba6c2-5c0e-4d3a-9f8f-0c1f4d2e6a51' },
    type: 'charge.succeeded',
  }),
};

/** As of a gateway of sensors. */
const sensorReading: ContractCase = {
  name: 'sensor reading',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['device', 'at', 'readings'],
    properties: {
      device: { type: 'string', format: 'uuid' },
      firmware: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' },
      at: { type: 'string', format: 'date-time' },
      battery: { type: 'number', minimum: 0, maximum: 100 },
      position: {
        type: 'array',
        prefixItems: [
          { type: 'number', minimum: -180, maximum: 180 },
          { type: 'number', minimum: -90, maximum: 90 },
        ],
        items: false,
        minItems: 2,
      },
      readings: {
        type: 'object',
        minProperties: 1,
        propertyNames: { pattern: '^[a-z][a-z0-9_]*$' },
        additionalProperties: { type: 'number', minimum: -10_000, maximum: 10_000 },
      },
    },
  },
  body: JSON.stringify({
    device: '0f8fad5b-d9cb-469f-a165-70867728950e',
    firmware: '2.14.3',
    at: '2026-11-28T14:31:07.250Z',
    battery: 87.5,
    position: [6.95833, 50.94128],
    readings: { temperature: 21.37, humidity: 48.2, pressure: 1013.25, co2: 612, pm25: 7.9 },
  }),
};

/** As of a web site's form. */
const signUp: ContractCase = {
  name: 'sign-up',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['email', 'password', 'name', 'birthday', 'country', 'terms'],
    properties: {
      email: { type: 'string', format: 'email', maxLength: 254 },
      password: { type: 'string', minLength: 8, maxLength: 128 },
      name: { type: 'string', minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}]*$' },
      birthday: { type: 'string', format: 'date' },
      country: { type: 'string', pattern: '^[A-Z]{2}$' },
      language: { type: 'string', pattern: '^[a-z]{2}(?:-[A-Z]{2})?$' },
      phone: { type: 'string', pattern: '^\\+[1-9]\\d{6,14}$' },
      website: { type: 'string', format: 'uri' },
      newsletter: { type: 'boolean' },
      terms: { const: true },
    },
  },
  body: JSON.stringify({
    email: 'anna.kowalska+shop@example.org',
    password: 'correct horse battery staple',
    name: 'Anna Kowalska-Żeromska',
    birthday: '1987-04-12',
    country: 'PL',
    language: 'pl-PL',
    phone: '+48601234567',
    website: 'https://example.org/~anna',
    newsletter: false,
    terms: true,
  }),
};

/** As of a messenger. */
const chatMessage: ContractCase = {
  name: 'chat message',
  schema: {
    type: 'object',
    required: ['id', 'channel', 'author', 'sent_at', 'content'],
    properties: {
      id: { type: 'string', pattern: '^\\d{17,20}$' },
      channel: { type: 'string', pattern: '^\\d{17,20}$' },
      sent_at: { type: 'string', format: 'date-time' },
      author: {
        type: 'object',
        required: ['id', 'username'],
        properties: {
          id: { type: 'string', pattern: '^\\d{17,20}$' },
          username: { type: 'string', minLength: 2, maxLength: 32 },
          bot: { type: 'boolean' },
        },
      },
      content: { type: 'string', maxLength: 2000 },
      mentions: {
        type: 'array',
        maxItems: 100,
        items: { type: 'string', pattern: '^\\d{17,20}$' },
      },
      attachments: {
        type: 'array',
        items: {
          type: 'object',
          required: ['url', 'size'],
          properties: {
            url: { type: 'string', format: 'uri' },
            size: { type: 'integer', minimum: 0 },
          },
        },
      },
      reply_to: { anyOf: [{ type: 'string', pattern: '^\\d{17,20}$' }, { type: 'null' }] },
    },
  },
  body: JSON.stringify({
    id: '1180502390423322716',
    channel: '1180495839423322112',
    author: { id: '82198898841029460', username: 'mike.o', bot: false },
    sent_at: '2026-11-28T15:31:07.115000+00:00',
    content:
      'Heute um 18 Uhr treffen wir uns im Café, kommt ihr? 😀\n"Ja", sagte sie.\nDas wird schön: bringt bitte eure Pläne mit, und ein Ladegerät.',
    mentions: ['80351110224678912', '80351110224678913'],
    attachments: [],
    reply_to: null,
  }),
};

export const contractCases: readonly ContractCase[] = [
  orderWithItems,
  paymentEvent,
  sensorReading,
  signUp,
  chatMessage,
];

/** A body of about 1 KB, for the contract that takes any object. */
export const freeFormBody = JSON.stringify({
  source: 'crm',
  exported_at: '2026-11-28T15:31:07Z',
  batch: 4711,
  contact: {
    first_name: 'Maksim',
    last_name: 'Konovalov',
    email: 'maksim.konovalov@example.com',
    phones: ['+49 170 1234567', '+49 221 987654'],
    address: { street: 'Musterstraße 12', city: 'Köln', zip: '50667', country: 'DE' },
  },
  tags: ['vip', 'newsletter', 'b2b'],
  scores: [0.25, 0.5, 12.75, -3.5, 100],
  custom_fields: {
    industry: 'Logistics and transport',
    employees: 250,
    last_order: { id: 99812, total: 1249.9, currency: 'EUR', paid: true, items: null },
    notes: 'Called on Monday; wants an offer for 20 pallets until the end of the week.',
  },
  history: [
    { at: '2026-10-02T08:15:00Z', action: 'created', by: 'import' },
    { at: '2026-10-05T11:42:10Z', action: 'mail_opened', by: 'campaign-17' },
    { at: '2026-11-01T16:03:55Z', action: 'call', by: 'j.smith' },
  ],
  consent: { marketing: true, analytics: false, updated_at: '2026-10-02T08:15:00Z' },
});
