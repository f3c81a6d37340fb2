// The web form as the guides write it: Express on Lambda, a template, a validator, the document client.
import { createHash, randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import ejs from 'ejs';
import express from 'express';
import { body, matchedData, validationResult } from 'express-validator';
import serverlessExpress from '@codegenie/serverless-express';

const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const { TABLE_DIRECTORY, TABLE_ACCOUNTS, TABLE_REQUESTS, TABLE_SESSIONS } = process.env;
const DAY = 24 * 60 * 60 * 1000;
const MOST_PER_MINUTE = 20;

const page = ejs.compile(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Privacy request · <%= code.name %></title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Make a privacy request</h1>
<form method="post" action="/forms/<%= number %>/requests">
<input type="hidden" name="id" value="<%= id %>">
<fieldset><legend>What would you like us to do?</legend>
<% for (const kind of code.kinds) { %><label><input type="radio" name="kind" value="<%= kind.key %>"<%= kind.key === typed.kind ? ' checked' : '' %>> <%= kind.text %></label>
<% } %></fieldset>
<% for (const [name, label] of [['name', 'Your name'], ['email', 'Your e-mail address'], ['phone', 'Your telephone number'], ['details', 'Details']]) { %>
<p><label for="<%= name %>"><%= label %></label> <input id="<%= name %>" name="<%= name %>" value="<%= typed[name] ?? '' %>"<% if (errors[name]) { %> aria-invalid="true" aria-describedby="<%= name %>-error"<% } %>>
<% if (errors[name]) { %><span id="<%= name %>-error"><%= errors[name].msg %></span><% } %></p>
<% } %><button>Send</button></form></main></body></html>`);

const receipt = ejs.compile(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>We have your request</title></head>
<body><main><h1>We have your request</h1><p>Your reference number is <strong><%= reference %></strong>.</p>
<p><%= code.name %> answers by <time datetime="<%= due %>"><%= due %></time>.</p></main></body></html>`);

async function codeOf(number) {
  const { Item: found } = await table.send(new GetCommand({ TableName: TABLE_DIRECTORY, Key: { pk: `code#${number}` } }));
  if (!found) return undefined;
  const key = { pk: found.tenant, sk: `code#${number}` };
  const { Item: code } = await table.send(new GetCommand({ TableName: TABLE_ACCOUNTS, Key: key }));
  return code?.active ? { ...code, tenant: found.tenant } : undefined;
}

async function tooMany(number, address) {
  const minute = Math.floor(Date.now() / 60_000);
  const client = createHash('sha256').update(address).digest('hex');
  const { Attributes: counted } = await table.send(
    new UpdateCommand({
      TableName: TABLE_SESSIONS,
      Key: { pk: `throttle#${number}#${client}#${minute}` },
      UpdateExpression: 'ADD #count :one SET expires_at = :expires',
      ExpressionAttributeNames: { '#count': 'count' },
      ExpressionAttributeValues: { ':one': 1, ':expires': minute * 60 + 3600 },
      ReturnValues: 'UPDATED_NEW',
    }),
  );
  return counted?.count > MOST_PER_MINUTE;
}

const app = express();
app.disable('x-powered-by');
app.use(express.urlencoded({ extended: false, limit: '100kb' }));

app.get('/forms/:number', async (request, response) => {
  const { number } = request.params;
  const code = await codeOf(number);
  if (!code) return response.sendStatus(404);
  const typed = { kind: request.query.kind };
  response.set('cache-control', 'no-store').send(page({ number, code, id: randomUUID(), typed, errors: {} }));
});

const rules = [
  body('id').isUUID(),
  body('kind').isIn(['opt-out', 'delete', 'know-categories', 'know-specific', 'correct', 'limit']),
  body('name').trim().isLength({ max: 200 }),
  body('email').trim().isEmail(),
  body('phone').optional({ values: 'falsy' }).trim().isMobilePhone('en-US'),
  body('details').trim().isLength({ max: 5000 }),
];

app.post('/forms/:number/requests', rules, async (request, response) => {
  const { number } = request.params;
  if (request.headers.origin !== process.env.PUBLIC_BASE_URL) return response.sendStatus(403);
  const code = await codeOf(number);
  if (!code) return response.sendStatus(404);
  const checked = validationResult(request);
  if (!checked.isEmpty()) {
    const shown = { number, code, id: randomUUID(), typed: request.body, errors: checked.mapped() };
    return response.status(422).send(page(shown));
  }
  if (await tooMany(number, request.ip)) return response.sendStatus(429);
  const { id, ...typed } = matchedData(request);
  const digest = createHash('sha256').update(`${code.tenant}${id}`).digest();
  const reference = String(digest.readBigUInt64BE() % 1_000_000_000_000n).padStart(12, '0');
  const due = new Date(Date.now() + 45 * DAY).toISOString().slice(0, 10);
  try {
    await table.send(
      new PutCommand({
        TableName: TABLE_REQUESTS,
        Item: { pk: `${code.tenant}#${reference.slice(0, 2)}`, sk: reference, ...typed, code: number, due, state: 'received' },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  } catch (error) {
    if (error.name !== 'ConditionalCheckFailedException') throw error;
  }
  response.set('cache-control', 'no-store').send(receipt({ code, reference, due }));
});

export const handler = serverlessExpress({ app });
