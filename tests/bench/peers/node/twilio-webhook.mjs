// What both steps share: the secret, the signature check, the clients. Read once, while the function starts.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import twilio from 'twilio';

const secrets = new SecretsManagerClient({});
const answer = await secrets.send(new GetSecretValueCommand({ SecretId: process.env.TWILIO_SECRET }));
const { auth_token: authToken } = JSON.parse(answer.SecretString);

export const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));

/** The form's parameters, or undefined where the signature is not Twilio's. */
export function parametersOf(event) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : (event.body ?? '');
  const parameters = Object.fromEntries(new URLSearchParams(body));
  const query = event.rawQueryString ? `?${event.rawQueryString}` : '';
  const url = `${process.env.PUBLIC_BASE_URL}${event.rawPath}${query}`;
  const signature = event.headers['x-twilio-signature'] ?? '';
  return twilio.validateRequest(authToken, signature, url, parameters) ? parameters : undefined;
}

export const refused = { statusCode: 403, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' };

export const spoken = (response) => ({
  statusCode: 200,
  headers: { 'content-type': 'text/xml', 'cache-control': 'no-store' },
  body: response.toString(),
});
